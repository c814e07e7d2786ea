"""The authenticated caller, as the access token describes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from chassis.tenancy import Tenancy


class Role(StrEnum):
    ADMIN = "ADMIN"
    MERCHANT = "MERCHANT"
    EMPLOYEE = "EMPLOYEE"
    CUSTOMER = "CUSTOMER"


class BusinessRole(StrEnum):
    OWNER = "OWNER"
    EMPLOYEE = "EMPLOYEE"


@dataclass(frozen=True, slots=True)
class Membership:
    """A caller's standing in one business. An employee works in the listed branches only; an owner in all."""

    business_id: UUID
    role: BusinessRole
    branch_ids: frozenset[UUID] = frozenset()

    def covers(self, branch_id: UUID) -> bool:
        return self.role is BusinessRole.OWNER or branch_id in self.branch_ids

    def claim(self) -> dict[str, Any]:
        return {"b": str(self.business_id), "r": self.role.value, "br": sorted(map(str, self.branch_ids))}


@dataclass(frozen=True, slots=True)
class Principal:
    """Claims of a verified access token: `sub`, `sid`, `role`, `kyc` and `mem` (see Membership.claim).

    issued_at: the token's `iat`, Unix seconds; 0 for a principal that is not of a token.
    """

    user_id: UUID
    session_id: UUID
    role: Role
    kyc_level: int
    memberships: Mapping[UUID, Membership]
    issued_at: int = field(default=0, compare=False)

    @property
    def tenancy(self) -> Tenancy:
        """Whose rows this caller may touch at all."""
        return Tenancy(self.user_id, frozenset(self.memberships), everyone=self.is_admin)

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN

    def claims(self) -> dict[str, Any]:
        return {
            "sub": str(self.user_id),
            "sid": str(self.session_id),
            "role": self.role.value,
            "kyc": self.kyc_level,
            "mem": [membership.claim() for membership in self.memberships.values()],
        }

    @classmethod
    def from_claims(cls, claims: Mapping[str, Any]) -> Principal:
        """Of `claims()` and `iat`. Raises ValueError, KeyError or TypeError on claims that are not of our shape."""
        memberships = [
            Membership(UUID(item["b"]), BusinessRole(item["r"]), frozenset(map(UUID, item["br"])))
            for item in claims["mem"]
        ]
        return cls(
            user_id=UUID(claims["sub"]),
            session_id=UUID(claims["sid"]),
            role=Role(claims["role"]),
            kyc_level=int(claims["kyc"]),
            memberships={membership.business_id: membership for membership in memberships},
            issued_at=int(claims["iat"]),
        )
