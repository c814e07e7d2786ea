"""Where everyone finds the public keys."""

from __future__ import annotations

from fastapi import APIRouter, Response

from auth.context import Ctx
from auth.keys.schemas import JsonWebKey, JsonWebKeySet

router = APIRouter(tags=["keys"])

# As long as verifiers keep them; a key is published for longer than this before it signs.
_MAX_AGE = 300


@router.get("/.well-known/jwks.json")
async def jwks(ctx: Ctx, response: Response) -> JsonWebKeySet:
    """The public keys of access tokens: the one that signs, and those that signed before or will sign next."""
    response.headers["Cache-Control"] = f"public, max-age={_MAX_AGE}"
    return JsonWebKeySet(keys=[JsonWebKey.model_validate(key) for key in ctx.keyring.public()])
