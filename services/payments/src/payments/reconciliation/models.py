"""The tables of reconciliations and of what they found, and both as values. They hold rows of all tenants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from psp.registry import capability_matrix
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import UUID as PgUuid

from payments.intents.models import metadata

_Uuid = PgUuid(as_uuid=True)
_Time = DateTime(timezone=True)
_Amount = Numeric(18, 2)


class RunStatus(StrEnum):
    PENDING = "PENDING"
    DONE = "DONE"
    FAILED = "FAILED"


class Kind(StrEnum):
    """MISSING: ours, and not at the provider. EXTRA: paid at the provider, and none of ours."""

    MISSING = "MISSING"
    EXTRA = "EXTRA"
    DIFFERENT = "DIFFERENT"


reconciliations = Table(
    "reconciliations",
    metadata,
    Column("id", _Uuid, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("origin", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("ours", Integer, nullable=False, server_default=text("0")),
    Column("theirs", Integer, nullable=False, server_default=text("0")),
    Column("failure", Text),
    Column("created_at", _Time, nullable=False),
    Column("due_at", _Time, nullable=False),
    Column("finished_at", _Time),
    CheckConstraint("origin IN ('schedule', 'request')", name="origin"),
    CheckConstraint("status IN ('PENDING', 'DONE', 'FAILED')", name="status"),
)
Index("ix_reconciliations_list", reconciliations.c.created_at.desc(), reconciliations.c.id.desc())
Index(
    "uq_reconciliations_scheduled",
    reconciliations.c.provider,
    reconciliations.c.day,
    unique=True,
    postgresql_where=text("origin = 'schedule'"),
)

differences = Table(
    "reconciliation_differences",
    metadata,
    Column("id", _Uuid, primary_key=True),
    Column("reconciliation_id", _Uuid, ForeignKey("reconciliations.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("payment_id", _Uuid),
    Column("provider_ref", Text, nullable=False),
    Column("fields", Text, nullable=False),
    Column("our_status", Text),
    Column("their_status", Text),
    Column("our_amount", _Amount),
    Column("their_amount", _Amount),
    Column("currency", Text, nullable=False),
    Column("repaired", Boolean, nullable=False),
    CheckConstraint("kind IN ('MISSING', 'EXTRA', 'DIFFERENT')", name="kind"),
)
Index("ix_reconciliation_differences_of", differences.c.reconciliation_id, differences.c.id)


@dataclass(frozen=True, slots=True)
class Run:
    """A row of reconciliations. day: of UTC. due_at: when it is tried, again after the provider could not be asked."""

    id: UUID
    provider: str
    day: date
    origin: str
    status: str
    created_at: datetime
    due_at: datetime
    ours: int = 0
    theirs: int = 0
    failure: str | None = None
    finished_at: datetime | None = None

    @property
    def finds_extra(self) -> bool:
        """Whether money at the provider that belongs to no payment of ours would have been found."""
        return any(entry.lists_payments for entry in capability_matrix() if entry.provider == self.provider)


@dataclass(frozen=True, slots=True)
class Difference:
    """fields: which differ, joined by commas. repaired: once the provider was read again, both said the same."""

    id: UUID
    reconciliation_id: UUID
    kind: str
    payment_id: UUID | None
    provider_ref: str
    fields: str
    our_status: str | None
    their_status: str | None
    our_amount: Decimal | None
    their_amount: Decimal | None
    currency: str
    repaired: bool
