"""The table of refunds, and a refund as a value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from kernel import Money
from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKey, Index, Integer, Numeric, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID as PgUuid

from payments.intents.models import metadata
from payments.refunds.status import PUBLIC, RefundStatus, RefundStep

_Uuid = PgUuid(as_uuid=True)
_Time = DateTime(timezone=True)

refunds = Table(
    "refunds",
    metadata,
    Column("id", _Uuid, primary_key=True),
    Column("payment_id", _Uuid, ForeignKey("payments.id"), nullable=False),
    Column("business_id", _Uuid, nullable=False),
    Column("amount", Numeric(18, 2), nullable=False),
    Column("currency", Text, nullable=False),
    Column("status", Text, nullable=False),
    # merchant: asked for here. provider: found there, made in the provider's own back office.
    Column("origin", Text, nullable=False),
    Column("provider_refund_ref", Text),
    Column("reason", Text),
    Column("failure_reason", Text),
    Column("created_at", _Time, nullable=False),
    Column("updated_at", _Time, nullable=False),
    Column("completed_at", _Time),
    Column("next_poll_at", _Time),
    Column("poll_attempts", Integer, nullable=False, server_default=text("0")),
    CheckConstraint("amount > 0", name="amount"),
    CheckConstraint("status IN ('SUBMITTING', 'UNKNOWN', 'PENDING', 'SUCCEEDED', 'FAILED')", name="status"),
    CheckConstraint("origin IN ('merchant', 'provider')", name="origin"),
)
Index("ix_refunds_payment", refunds.c.payment_id, refunds.c.id)
# A provider without idempotency keys tells a lost refund only by what it did not have before: one at a time.
Index(
    "uq_refunds_unsent",
    refunds.c.payment_id,
    unique=True,
    postgresql_where=text("status IN ('SUBMITTING', 'UNKNOWN')"),
)
Index(
    "uq_refunds_provider_ref",
    refunds.c.payment_id,
    refunds.c.provider_refund_ref,
    unique=True,
    postgresql_where=refunds.c.provider_refund_ref.is_not(None),
)
Index("ix_refunds_due", refunds.c.next_poll_at, postgresql_where=refunds.c.next_poll_at.is_not(None))


@dataclass(frozen=True, slots=True)
class Refund:
    """A row of refunds. amount in major units of `currency`."""

    id: UUID
    payment_id: UUID
    business_id: UUID
    amount: Decimal
    currency: str
    status: str
    origin: str
    created_at: datetime
    updated_at: datetime
    provider_refund_ref: str | None = None
    reason: str | None = None
    failure_reason: str | None = None
    completed_at: datetime | None = None
    next_poll_at: datetime | None = None
    poll_attempts: int = 0

    @property
    def step(self) -> RefundStep:
        return RefundStep(self.status)

    @property
    def public_status(self) -> RefundStatus:
        return PUBLIC[RefundStep(self.status)]

    @property
    def money(self) -> Money:
        return Money.of(self.amount, self.currency)
