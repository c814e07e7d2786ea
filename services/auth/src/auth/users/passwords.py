"""Passwords: which are accepted, and how they are kept.

Kept as bcrypt over base64(HMAC-SHA384(pepper, password)), after the OWASP Password Storage Cheat Sheet: nothing is cut
at bcrypt's 72 bytes, and a stolen database without the pepper cannot be attacked at all.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha384
from importlib import resources
from threading import BoundedSemaphore
from typing import TypeVar

import bcrypt

from auth.metrics import password_refusals
from auth.users.errors import hashing_busy, weak_password

T = TypeVar("T")

MIN_LENGTH = 8
MAX_LENGTH = 256
_RETRY_AFTER = 2
# A salt and a digest that are well-formed and belong to no password.
_NOBODY = "." * 53


class PasswordPolicy:
    """Refuses the passwords that are tried first. No rules of composition: they only make people write "Password1!"."""

    def __init__(self) -> None:
        listed = resources.files("auth.users").joinpath("common_passwords.txt").read_text(encoding="utf-8")
        self._common = frozenset(line for line in listed.splitlines() if line and not line.startswith("#"))

    def check(self, password: str, *, phone: str) -> None:
        """Raises InvalidInput. The length is the request model's to check."""
        folded = password.casefold()
        if folded in self._common or len(set(folded)) == 1:
            raise weak_password("is one of the most common passwords")
        if phone.removeprefix("+").endswith(folded.removeprefix("+")):
            raise weak_password("must not be the phone number")


class PasswordHasher:
    """Hashes in a few threads of its own, off the event loop; bcrypt lets go of the interpreter while it works.

    A hash takes a quarter of a second on purpose, so who waits is bounded too: a full queue answers 429 at once instead
    of making everyone wait for minutes.
    """

    def __init__(self, pepper: str, *, cost: int, threads: int, queue: int) -> None:
        self._pepper = pepper.encode()
        self._cost = cost
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="password")
        self._places = BoundedSemaphore(threads + queue)

    async def hash(self, password: str) -> str:
        """Raises RateLimited when too many are waiting, as `verify` does."""
        secret = self._secret(password)
        return (await self._in_pool(lambda: bcrypt.hashpw(secret, bcrypt.gensalt(self._cost)))).decode()

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether the password fits. None, for a user who does not exist, takes as long and fits nothing."""
        secret = self._secret(password)
        expected = (stored or f"$2b${self._cost:02d}${_NOBODY}").encode()
        return await self._in_pool(lambda: bcrypt.checkpw(secret, expected)) and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made at another cost than new ones are."""
        return not stored.startswith(f"$2b${self._cost:02d}$")

    async def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _secret(self, password: str) -> bytes:
        # One person's "é" is one code point, another keyboard's is two.
        normalized = unicodedata.normalize("NFC", password).encode()
        return base64.b64encode(hmac.digest(self._pepper, normalized, sha384))

    async def _in_pool(self, work: Callable[[], T]) -> T:
        if not self._places.acquire(blocking=False):
            password_refusals.inc()
            raise hashing_busy(_RETRY_AFTER)
        future = self._pool.submit(work)
        # Released when the thread is done, and not when a client that went away stops waiting for it.
        future.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(future)
