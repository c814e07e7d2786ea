"""Businesses' own accounts at their payment provider."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Index, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PgUuid

from payments.intents.models import metadata

_Uuid = PgUuid(as_uuid=True)
_Time = DateTime(timezone=True)

# One row per account at a provider. Other keys of the same account change the row; another account is another row, and
# the one before stays, `replaced_at`, for as long as a payment was made with it that may still move.
payment_accounts = Table(
    "payment_accounts",
    metadata,
    Column("id", _Uuid, primary_key=True),
    Column("business_id", _Uuid, nullable=False),
    Column("provider", Text, nullable=False),
    # In the address of its webhooks: 128 random bits.
    Column("key", Text, nullable=False, unique=True),
    Column("environment", Text, nullable=False),
    # Sealed JSON, by the names of the provider's settings; `earlier`, those before, for webhooks signed with them.
    Column("credentials", Text, nullable=False),
    Column("earlier", Text),
    Column("earlier_until", _Time),
    # What may be shown: {name: last characters}.
    Column("shown", JSONB, nullable=False),
    # Keyed hash of the merchant's number at the provider, where it has one.
    Column("identity", LargeBinary),
    Column("verification", Text, nullable=False),
    Column("checked_at", _Time, nullable=False),
    Column("created_at", _Time, nullable=False),
    Column("updated_at", _Time, nullable=False),
    Column("replaced_at", _Time),
    Column("version", BigInteger, nullable=False, server_default=text("1")),
    CheckConstraint("environment IN ('LIVE', 'TEST')", name="environment"),
    CheckConstraint("verification IN ('VERIFIED', 'UNVERIFIED', 'REFUSED')", name="verification"),
)
Index(
    "uq_payment_accounts_present",
    payment_accounts.c.business_id,
    payment_accounts.c.provider,
    unique=True,
    postgresql_where=payment_accounts.c.replaced_at.is_(None),
)
Index(
    "ix_payment_accounts_replaced",
    payment_accounts.c.replaced_at,
    postgresql_where=payment_accounts.c.replaced_at.is_not(None),
)

SEALED: Final = ("credentials", "earlier")


@dataclass(frozen=True, slots=True)
class Account:
    """A row of payment_accounts. credentials, earlier: sealed."""

    id: UUID
    business_id: UUID
    provider: str
    key: str
    environment: str
    credentials: str
    earlier: str | None
    earlier_until: datetime | None
    shown: dict[str, str]
    identity: bytes | None
    verification: str
    checked_at: datetime
    created_at: datetime
    updated_at: datetime
    replaced_at: datetime | None = None
    version: int = 1


def place(column: str, account_id: UUID) -> str:
    """Where a sealed value is, as associated data of its encryption."""
    return f"payment_accounts.{column}:{account_id}"
