"""The Idempotency-Key header as a dependency, and stored answers as responses."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Annotated
from uuid import UUID, uuid5

import orjson
from fastapi import Depends, Header, Request
from kernel import InvalidInput
from starlette.responses import Response

from chassis.auth import Principal
from chassis.database.idempotency import Answer, IdempotencyScope
from chassis.http.app import Caller

_KEY = re.compile(r"^[A-Za-z0-9_:.-]{8,128}$")
_ANONYMOUS = UUID("6f1b1b9e-7a52-4f9b-9a0c-3f0d7a2f6c11")

KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="8 to 128 characters of A-Z a-z 0-9 _ : . -, unique to this request; kept for 30 days",
    ),
]


async def _scope(request: Request, key: str | None, caller: Principal | None) -> IdempotencyScope:
    key = checked_key(key)
    digest = sha256()
    digest.update(f"{request.url.path}?{request.url.query}\n".encode())
    digest.update(_canonical(await request.body()))
    fingerprint = digest.digest()
    # An anonymous key belongs to its request alone, so that nobody replays another's answer by guessing a key.
    principal = caller.user_id if caller else uuid5(_ANONYMOUS, fingerprint.hex())
    return scope_of(request, key, principal, fingerprint)


def checked_key(key: str | None) -> str | None:
    """The key without quotes. Raises InvalidInput."""
    if key is None:
        return None
    key = key.strip('"')  # a structured-field string is quoted; both forms are seen in the wild
    if not _KEY.match(key):
        raise InvalidInput.field("Idempotency-Key", "must be 8 to 128 characters of A-Z a-z 0-9 _ : . -")
    return key


def scope_of(request: Request, key: str | None, principal_id: UUID, fingerprint: bytes) -> IdempotencyScope:
    """For a route that reads its body itself, and so says itself when two requests are the same. key: a checked one."""
    route = getattr(request.scope.get("route"), "path", request.url.path)
    return IdempotencyScope(principal_id, f"{request.method} {route}", key, fingerprint)


def _canonical(body: bytes) -> bytes:
    try:
        return orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)
    except ValueError:
        return body


async def _caller_scope(request: Request, caller: Caller, key: KeyHeader = None) -> IdempotencyScope:
    return await _scope(request, key, caller)


async def _public_scope(request: Request, key: KeyHeader = None) -> IdempotencyScope:
    return await _scope(request, key, None)


IdempotencyKey = Annotated[IdempotencyScope, Depends(_caller_scope)]
PublicIdempotencyKey = Annotated[IdempotencyScope, Depends(_public_scope)]


def answer_response(answer: Answer) -> Response:
    headers = {"Idempotent-Replayed": "true"} if answer.replayed else {}
    return Response(answer.body, answer.status, media_type="application/json", headers=headers)
