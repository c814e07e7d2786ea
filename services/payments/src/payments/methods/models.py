"""The table of payment methods, and one as a value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psp.provider import PaymentMethod
from sqlalchemy import Boolean, CheckConstraint, Column, DateTime, Index, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import UUID as PgUuid

from payments.intents.models import metadata

# Those that a buyer comes to by an address of ours, printed or sent.
WITH_PAGE: Final = frozenset({PaymentMethod.QR_STATIC, PaymentMethod.PAYMENT_LINK})

_Uuid = PgUuid(as_uuid=True)
_Time = DateTime(timezone=True)

payment_methods = Table(
    "payment_methods",
    metadata,
    Column("id", _Uuid, primary_key=True),
    Column("business_id", _Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    # What the public address of its page is made of. It hangs at the counter, and must only not be guessed.
    Column("key", Text, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("created_at", _Time, nullable=False),
    Column("updated_at", _Time, nullable=False),
    Column("deleted_at", _Time),
    CheckConstraint("type IN ('QR_STATIC', 'QR_DYNAMIC', 'PAYMENT_LINK', 'BANK_TRANSFER')", name="type"),
    UniqueConstraint("key", name="uq_payment_methods_key"),
)
Index(
    "ix_payment_methods_list",
    payment_methods.c.business_id,
    payment_methods.c.created_at.desc(),
    payment_methods.c.id.desc(),
    postgresql_where=payment_methods.c.deleted_at.is_(None),
)


@dataclass(frozen=True, slots=True)
class Method:
    """A row of payment_methods, but for the deleted ones."""

    id: UUID
    business_id: UUID
    type: str
    name: str
    description: str | None
    key: str
    is_active: bool
    created_at: datetime
    updated_at: datetime

    @property
    def kind(self) -> PaymentMethod:
        return PaymentMethod(self.type)

    @property
    def has_page(self) -> bool:
        return self.kind in WITH_PAGE
