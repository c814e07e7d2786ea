"""How passwords are kept: bcrypt over base64(HMAC-SHA384(pepper, password)), after OWASP's cheat sheet.

Nothing is cut at bcrypt's 72 bytes, and a stolen database without the pepper cannot be attacked at all.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha384
from threading import BoundedSemaphore
from typing import TypeVar

import bcrypt

from auth.metrics import password_refusals
from auth.passwords.errors import hashing_busy

T = TypeVar("T")

_RETRY_AFTER = 2
# A salt and a digest that are well-formed and belong to no password.
_NOBODY = "." * 53


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
        """Whether the password fits. None, for a user who does not exist, takes as long and fits nothing.

        So does a hash of a lower cost: what it takes less is made up for, or the speed of the answer would tell that
        there is such a user.
        """
        secret = self._secret(password)
        expected = stored or _unmatched(self._cost)

        def compare() -> bool:
            fits = bcrypt.checkpw(secret, expected.encode())
            # Each cost is twice the one below: the costs from c up to one below the present one are its time less c's.
            for cost in range(_cost_of(expected), self._cost):
                bcrypt.checkpw(secret, _unmatched(cost).encode())
            return fits and stored is not None

        return await self._in_pool(compare)

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made at another cost than new ones are."""
        return _cost_of(stored) != self._cost

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


def _cost_of(stored: str) -> int:
    """Of "$2b$<cost>$<salt and digest>"."""
    return int(stored.split("$")[2])


def _unmatched(cost: int) -> str:
    return f"$2b${cost:02d}${_NOBODY}"
