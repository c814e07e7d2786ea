"""What the edges of several features share."""

from __future__ import annotations

import hmac
from dataclasses import replace
from hashlib import sha256
from typing import Annotated
from uuid import UUID

from chassis.auth import Principal
from chassis.database.idempotency import IdempotencyScope
from chassis.http.app import Caller
from chassis.http.idempotency import IdempotencyKey, PublicIdempotencyKey
from fastapi import Depends, Header
from kernel import InvalidInput

from auth.context import Ctx
from auth.sessions import service as sessions
from auth.sessions.errors import session_ended

_DEVICE_LENGTH = 200


async def _live_caller(ctx: Ctx, caller: Caller) -> Principal:
    if not await sessions.is_active(ctx, caller.session_id):
        raise session_ended()
    return caller


async def _credential_scope(ctx: Ctx, scope: PublicIdempotencyKey) -> IdempotencyScope:
    # The fingerprint of a request with a password in it would let whoever steals the table try passwords at the speed
    # of SHA-256. Under a key that is not in the table it tells nothing.
    fingerprint = hmac.digest(ctx.fingerprint_key, scope.fingerprint, sha256)
    return replace(scope, fingerprint=fingerprint, principal_id=UUID(bytes=fingerprint[:16]))


async def _device(user_agent: Annotated[str | None, Header(include_in_schema=False)] = None) -> str | None:
    printable = "".join(character for character in user_agent or "" if character.isprintable())
    return printable[:_DEVICE_LENGTH] or None


async def _caller_credential_scope(ctx: Ctx, scope: IdempotencyKey) -> IdempotencyScope:
    return replace(scope, fingerprint=hmac.digest(ctx.fingerprint_key, scope.fingerprint, sha256))


LiveCaller = Annotated[Principal, Depends(_live_caller)]
"""A caller whose session has not ended. Behind the gateway that was checked already; here it is certain."""

CredentialKey = Annotated[IdempotencyScope, Depends(_credential_scope)]
"""The Idempotency-Key of a public request that carries a password, or a phone, or an e-mail address."""

CallerCredentialKey = Annotated[IdempotencyScope, Depends(_caller_credential_scope)]
"""The same of a request by a caller."""

Device = Annotated[str | None, Depends(_device)]
"""What the client calls itself, to tell one session from another in a list."""


def parse_id(field: str, value: str) -> UUID:
    """An id in a gRPC request. Raises InvalidInput."""
    try:
        return UUID(value)
    except ValueError:
        raise InvalidInput.field(field, "is not a UUID") from None
