"""What only Conekta's twin can be asked from behind: the key that verifies its webhooks."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from twins.conekta.signing import Keys


def key_router(keys: Keys) -> APIRouter:
    router = APIRouter(prefix="/_control/conekta", tags=["conekta"])

    @router.get("/public-key", response_class=PlainTextResponse)
    async def public_key() -> str:
        return keys.public_key_pem

    return router
