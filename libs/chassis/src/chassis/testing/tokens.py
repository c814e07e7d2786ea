"""Access tokens for tests, signed by a key of their own."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.jwk import OKPKey
from kernel import new_id

from chassis.auth.principal import BusinessRole, Membership, Principal, Role
from chassis.auth.tokens import ALGORITHM, TOKEN_TYPE, TokenVerifier


def make_principal(
    *,
    user_id: UUID | None = None,
    role: Role = Role.MERCHANT,
    owns: Iterable[UUID] = (),
    works_at: Iterable[tuple[UUID, Iterable[UUID]]] = (),
    kyc_level: int = 0,
) -> Principal:
    """owns: businesses; works_at: (business, its branches the employee is assigned to)."""
    memberships = [Membership(business, BusinessRole.OWNER) for business in owns]
    memberships += [Membership(business, BusinessRole.EMPLOYEE, frozenset(branches)) for business, branches in works_at]
    return Principal(
        user_id=user_id or new_id(),
        session_id=new_id(),
        role=role,
        kyc_level=kyc_level,
        memberships={membership.business_id: membership for membership in memberships},
    )


class TokenFactory:
    """Signs tokens as auth would, and knows how to get everything about them wrong."""

    def __init__(self) -> None:
        self.key = OKPKey.generate_key("Ed25519")
        self.kid = self.key.thumbprint()

    async def key_of(self, kid: str) -> OKPKey | None:
        return self.key if kid == self.kid else None

    def verifier(self) -> TokenVerifier:
        return TokenVerifier(_Keys(self), issuer="cobro", audience="cobro")

    def issue(
        self, principal: Principal, *, lifetime: int = 900, header: dict[str, Any] | None = None, **claims: Any
    ) -> str:
        now = int(time.time())
        payload = {
            "iss": "cobro",
            "aud": "cobro",
            "jti": str(new_id()),
            "iat": now,
            "nbf": now,
            "exp": now + lifetime,
            **principal.claims(),
            **claims,
        }
        return jwt.encode(
            {"alg": ALGORITHM, "typ": TOKEN_TYPE, "kid": self.kid, **(header or {})},
            payload,
            self.key,
            algorithms=[ALGORITHM],
        )


class _Keys:
    def __init__(self, factory: TokenFactory) -> None:
        self._factory = factory

    async def key(self, kid: str) -> OKPKey | None:
        return await self._factory.key_of(kid)
