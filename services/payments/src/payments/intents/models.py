"""The tables of payments and of what happened to them, and a payment as a value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from chassis.database.base import NAMING
from kernel import Country, Currency, Money
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PgUuid

from payments.intents.status import PUBLIC, PaymentStatus, Step

metadata = MetaData(naming_convention=NAMING)

_Uuid = PgUuid(as_uuid=True)
_Time = DateTime(timezone=True)
_Amount = Numeric(18, 2)

payments = Table(
    "payments",
    metadata,
    Column("id", _Uuid, primary_key=True),
    Column("business_id", _Uuid, nullable=False),
    Column("sale_id", _Uuid),
    Column("amount", _Amount, nullable=False),
    Column("currency", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("provider_ref", Text),
    Column("status", Text, nullable=False),
    Column("failure_reason", Text),
    Column("late", Boolean, nullable=False, server_default=text("false")),
    Column("description", Text),
    Column("metadata", JSONB, nullable=False, server_default=text("'{}'")),
    # The buyer as sealed JSON {name, phone, email}, and the keyed hashes by which they are found again.
    Column("customer", Text),
    Column("customer_phone_index", LargeBinary),
    Column("customer_email_index", LargeBinary),
    # Sealed JSON {document_type, document_number, person_type, bank, device}, where the method asks for it.
    Column("payer", Text),
    # The business's own account at the provider that it was made with; the platform's where there is none.
    Column("account_id", _Uuid),
    Column("qr_content", Text),
    Column("payment_link", Text),
    Column("transfer", JSONB),
    Column("refund_reserved", _Amount, nullable=False, server_default=text("0")),
    Column("refunded", _Amount, nullable=False, server_default=text("0")),
    Column("expires_at", _Time, nullable=False),
    Column("confirmed_at", _Time),
    Column("failed_at", _Time),
    Column("refunded_at", _Time),
    Column("created_at", _Time, nullable=False),
    Column("updated_at", _Time, nullable=False),
    Column("cancel_requested_at", _Time),
    Column("disputed_at", _Time),
    # What differs at the provider: of amount, currency, reference, live, duplicate, refunds.
    Column("dispute", Text),
    Column("submitted_at", _Time, nullable=False),
    Column("next_poll_at", _Time),
    Column("poll_attempts", Integer, nullable=False, server_default=text("0")),
    Column("version", BigInteger, nullable=False, server_default=text("1")),
    Column("payment_method_id", _Uuid),
    # Opened by the buyer at a page of ours, not by the till: nobody else at the counter is shown it.
    Column("self_service", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("amount > 0", name="amount"),
    CheckConstraint("0 <= refunded AND refunded <= refund_reserved AND refund_reserved <= amount", name="refunds"),
    CheckConstraint(
        "status IN ('SUBMITTING', 'UNKNOWN', 'PENDING', 'CONFIRMED', 'PARTIALLY_REFUNDED', 'REFUNDED', 'FAILED')",
        name="status",
    ),
    CheckConstraint("(status = 'FAILED') <= (failure_reason IS NOT NULL)", name="failure_reason"),
)
Index("ix_payments_list", payments.c.business_id, payments.c.created_at.desc(), payments.c.id.desc())
Index("ix_payments_newest", payments.c.created_at.desc(), payments.c.id.desc())
Index(
    "uq_payments_provider_ref",
    payments.c.provider,
    payments.c.provider_ref,
    unique=True,
    postgresql_where=payments.c.provider_ref.is_not(None),
)
# Late money may confirm a payment whose sale has another one by then, and must never be refused for that.
Index(
    "uq_payments_sale",
    payments.c.sale_id,
    unique=True,
    postgresql_where=text("sale_id IS NOT NULL AND status <> 'FAILED' AND NOT late"),
)
Index("ix_payments_due", payments.c.next_poll_at, postgresql_where=payments.c.next_poll_at.is_not(None))
Index(
    "ix_payments_customer_phone",
    payments.c.business_id,
    payments.c.customer_phone_index,
    postgresql_where=payments.c.customer_phone_index.is_not(None),
)
Index(
    "ix_payments_customer_email",
    payments.c.business_id,
    payments.c.customer_email_index,
    postgresql_where=payments.c.customer_email_index.is_not(None),
)
Index("ix_payments_disputed", payments.c.disputed_at, postgresql_where=payments.c.disputed_at.is_not(None))

Index(
    "ix_payments_method",
    payments.c.payment_method_id,
    payments.c.created_at.desc(),
    postgresql_where=payments.c.payment_method_id.is_not(None),
)

# Which payments still need an account that is no longer the business's present one.
Index(
    "ix_payments_account",
    payments.c.account_id,
    payments.c.status,
    postgresql_where=payments.c.account_id.is_not(None),
)

# Append-only: every attempt, webhook, poll and transition. Ids are time-ordered, so the key is also the order.
payment_events = Table(
    "payment_events",
    metadata,
    Column("payment_id", _Uuid, primary_key=True),
    Column("id", _Uuid, primary_key=True),
    Column("at", _Time, nullable=False),
    Column("kind", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("from_status", Text),
    Column("to_status", Text),
    Column("detail", JSONB, nullable=False, server_default=text("'{}'")),
)


@dataclass(frozen=True, slots=True)
class Payment:
    """A row of payments, field by field. Amounts are in major units of `currency`; the properties give Money."""

    id: UUID
    business_id: UUID
    amount: Decimal
    currency: str
    country: str
    time_zone: str
    method: str
    provider: str
    status: str
    metadata: dict[str, str]
    expires_at: datetime
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime
    next_poll_at: datetime | None
    sale_id: UUID | None = None
    provider_ref: str | None = None
    failure_reason: str | None = None
    late: bool = False
    description: str | None = None
    customer: str | None = None
    customer_phone_index: bytes | None = None
    customer_email_index: bytes | None = None
    qr_content: str | None = None
    payment_link: str | None = None
    transfer: dict[str, Any] | None = None
    refund_reserved: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)
    confirmed_at: datetime | None = None
    failed_at: datetime | None = None
    refunded_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    disputed_at: datetime | None = None
    dispute: str | None = None
    poll_attempts: int = 0
    version: int = 1
    payment_method_id: UUID | None = None
    self_service: bool = False
    payer: str | None = None
    account_id: UUID | None = None

    @property
    def step(self) -> Step:
        return Step(self.status)

    @property
    def public_status(self) -> PaymentStatus:
        return PUBLIC[Step(self.status)]

    @property
    def money(self) -> Money:
        return Money.of(self.amount, self.currency)

    @property
    def refunded_money(self) -> Money:
        return Money.of(self.refunded, self.currency)

    @property
    def reserved_money(self) -> Money:
        return Money.of(self.refund_reserved, self.currency)

    @property
    def home(self) -> Country:
        return Country(self.country)

    @property
    def unit(self) -> Currency:
        return Currency(self.currency)


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """kind: transition, reading, attempt, cancel, dispute, refund. cause: what led to it (see moves.Cause)."""

    id: UUID
    at: datetime
    kind: str
    cause: str
    from_status: str | None
    to_status: str | None
    detail: dict[str, Any]
