"""Verification of access tokens: Ed25519 only (RFC 9864), `typ` at+jwt (RFC 9068), every claim required (RFC 8725)."""

from __future__ import annotations

import time
from base64 import urlsafe_b64decode
from collections import OrderedDict
from typing import Any, Protocol

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.jws import extract_compact
from kernel import Unauthenticated

from chassis.auth.principal import Principal
from chassis.strict_json import strict_json

ALGORITHM = "Ed25519"
TOKEN_TYPE = "at+jwt"  # noqa: S105
_LEEWAY = 30
_REMEMBERED = 20_000
# Seconds. A token signed with a key that auth has dropped since is believed no longer than the key itself would be.
_REMEMBERED_FOR = 300
# Far above what a token with a hundred branches needs, far below what would make parsing a weapon.
_MAX_LENGTH = 16_384


class KeySource(Protocol):
    async def key(self, kid: str) -> OKPKey | None: ...


class TokenVerifier:
    """Turns a bearer token into a Principal, and remembers tokens it has verified for some minutes."""

    def __init__(self, keys: KeySource, *, issuer: str, audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._known: OrderedDict[str, tuple[float, Principal]] = OrderedDict()

    async def verify(self, token: str) -> Principal:
        """Raises Unauthenticated (codes token_invalid, token_expired), or Unavailable when no keys can be had."""
        known = self._known.get(token)
        if known is not None:
            if known[0] > time.time():
                return known[1]
            del self._known[token]
        claims = await self._decode(token)
        try:
            principal = Principal.from_claims(claims)
        except (ValueError, KeyError, TypeError):
            raise _invalid() from None
        self._known[token] = (min(float(claims["exp"]), time.time() + _REMEMBERED_FOR), principal)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return principal

    async def _decode(self, token: str) -> dict[str, Any]:
        if len(token) > _MAX_LENGTH:
            raise _invalid()
        try:
            kid = _key_id(token)
            key = await self._keys.key(kid)
            if key is None:
                raise _invalid()
            header = jwt.decode(token, key, algorithms=[ALGORITHM]).header
            # Signed or not: JSON that two parsers could read differently is read by neither.
            strict_header, claims = (strict_json(_decoded(part)) for part in token.split(".")[:2])
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            raise _invalid() from None
        # `crit` names extensions that must be understood, and none is.
        if header != strict_header or header.get("typ") != TOKEN_TYPE or "crit" in header:
            raise _invalid()
        if not isinstance(claims, dict):
            raise _invalid()
        self._check(claims)
        return claims

    def _check(self, claims: dict[str, Any]) -> None:
        times = [claims.get(name) for name in ("exp", "nbf", "iat")]
        if not all(isinstance(value, int) and not isinstance(value, bool) for value in times):
            raise _invalid()
        if claims.get("iss") != self._issuer or claims.get("aud") != self._audience or not claims.get("jti"):
            raise _invalid()
        now = time.time()
        if claims["exp"] <= now:
            raise Unauthenticated("The access token has expired", code="token_expired")
        if claims["nbf"] > now + _LEEWAY or claims["iat"] > now + _LEEWAY:
            raise _invalid()


def _decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _key_id(token: str) -> str:
    header = extract_compact(token.encode()).headers()
    kid = header.get("kid")
    if not isinstance(kid, str) or header.get("alg") != ALGORITHM:
        raise _invalid()
    return kid


def _invalid() -> Unauthenticated:
    return Unauthenticated("The access token is not valid", code="token_invalid")
