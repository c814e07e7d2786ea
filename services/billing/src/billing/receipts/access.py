"""Who may open a file: a member with a token, or whoever has the key of its link."""

from __future__ import annotations

from typing import Annotated

from chassis.auth import Principal
from chassis.http.app import authenticate
from fastapi import Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

_bearer = HTTPBearer(auto_error=False, description="Not needed by whoever has the link's key", bearerFormat="JWT")


async def _caller_or_key(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    key: Annotated[str | None, Query(max_length=64, description="The key of a link that was handed out")] = None,
) -> Principal | str:
    # The key is enough: a stale token in the same browser must not close the buyer's link.
    return key if key is not None else await authenticate(request, credentials)


Holder = Annotated[Principal | str, Depends(_caller_or_key)]
