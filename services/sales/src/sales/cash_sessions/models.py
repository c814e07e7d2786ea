"""Sessions of drawers, their ledger, and the sums that are kept as it goes."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from chassis.database.base import Id
from kernel import Currency
from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, PrimaryKeyConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sales.base import Base
from sales.cash_sessions.status import EntryKind, SessionStatus

_KINDS = ", ".join(f"'{kind.value}'" for kind in EntryKind)

# Sums are wider than the amounts they are made of: no number of sales overflows them.
_SUM = Numeric(24, 2)


class CashSession(Base):
    """One drawer from its opening to its closing. Amounts are in `currency`.

    expected: what should lie in the drawer, the sum of the ledger's cash, and frozen at closing. late_cash: cash of
    entries that came after the closing, which were in the drawer when it was counted. lowest: the least that was ever
    expected. opening_count, closing_count: pieces by face value, {"500": 3}. exceptions: [{"code", …}], see
    ExceptionCode. approvals: [{"by", "at", "note", "difference"}]. report: what the Z-report prints, frozen at closing.
    Names are those of the opening.
    """

    __tablename__ = "cash_sessions"
    __table_args__ = (
        CheckConstraint("status IN ('OPEN', 'CLOSED')", name="status"),
        CheckConstraint("opening_cash >= 0", name="opening_cash"),
        CheckConstraint("closing_cash >= 0", name="closing_cash"),
        CheckConstraint(
            "(status = 'CLOSED') = (closed_at IS NOT NULL AND closed_by IS NOT NULL AND closing_cash IS NOT NULL"
            " AND difference IS NOT NULL AND tolerance IS NOT NULL AND report IS NOT NULL)",
            name="closed",
        ),
        CheckConstraint("difference = closing_cash - expected", name="difference"),
        Index(
            "uq_cash_sessions_open_register_id",
            "register_id",
            unique=True,
            postgresql_where=text("status = 'OPEN'"),
        ),
        Index("ix_cash_sessions_register", "register_id", text("opened_at DESC"), text("id DESC")),
        Index("ix_cash_sessions_open_branch", "branch_id", postgresql_where=text("status = 'OPEN'")),
        # The row changes with every sale: room beside it keeps its indexes out of that.
        {"postgresql_with": {"fillfactor": 50}},
    )

    id: Mapped[Id]
    business_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    register_id: Mapped[UUID] = mapped_column(ForeignKey("cash_registers.id"))
    register_name: Mapped[str]
    branch_name: Mapped[str]
    business_name: Mapped[str]
    country: Mapped[str]
    currency: Mapped[str]
    time_zone: Mapped[str]
    business_day: Mapped[date]
    status: Mapped[str] = mapped_column(default=SessionStatus.OPEN)

    opened_at: Mapped[datetime]
    opened_by: Mapped[UUID]
    opening_cash: Mapped[Decimal]
    opening_count: Mapped[dict[str, Any] | None]

    expected: Mapped[Decimal] = mapped_column(_SUM)
    late_cash: Mapped[Decimal] = mapped_column(_SUM, default=Decimal(0))
    lowest: Mapped[Decimal] = mapped_column(_SUM)
    entries: Mapped[int]

    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None]
    closing_cash: Mapped[Decimal | None]
    closing_count: Mapped[dict[str, Any] | None]
    difference: Mapped[Decimal | None] = mapped_column(_SUM)
    tolerance: Mapped[Decimal | None]
    notes: Mapped[str | None]
    exceptions: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    needs_approval: Mapped[bool] = mapped_column(default=False)
    approvals: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    report: Mapped[dict[str, Any] | None]

    def text(self, amount: Decimal) -> str:
        """The JSON form of an amount, also of a sum that is beyond what one amount may be."""
        return f"{amount:.{Currency(self.currency).exponent}f}"


class CashEntry(Base):
    """One line of a session's ledger; append-only (a trigger refuses the rest).

    position: from 1, without a gap. amount: signed. balance: the cash that should lie there after it; an entry of
    another method is information, and leaves it as it was. late: it came after the closing. reference: the sale's, the
    refund's, the movement's own or the session's id; with kind and method it makes an entry one that is never made
    twice.
    """

    __tablename__ = "cash_entries"
    __table_args__ = (
        CheckConstraint(f"kind IN ({_KINDS})", name="kind"),
        Index(
            "uq_cash_entries_reference",
            "business_id",
            "reference",
            "kind",
            "method",
            unique=True,
        ),
        Index("uq_cash_entries_position", "session_id", "position", unique=True),
        Index(
            "ix_cash_entries_movements",
            "register_id",
            text("created_at DESC"),
            text("id DESC"),
            postgresql_where=text("kind IN ('IN', 'OUT')"),
        ),
    )

    id: Mapped[Id]
    business_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    register_id: Mapped[UUID]
    session_id: Mapped[UUID] = mapped_column(ForeignKey("cash_sessions.id"))
    position: Mapped[int]
    kind: Mapped[str]
    method: Mapped[str]
    amount: Mapped[Decimal] = mapped_column(_SUM)
    balance: Mapped[Decimal] = mapped_column(_SUM)
    late: Mapped[bool]
    reference: Mapped[UUID]
    reason: Mapped[str | None]
    created_by: Mapped[UUID]
    created_at: Mapped[datetime]


class CashTotal(Base):
    """What a session's ledger adds up to, by kind, method and cashier: kept with every entry, so that closing reads a
    handful of rows however many sales there were."""

    __tablename__ = "cash_totals"
    __table_args__ = (
        PrimaryKeyConstraint("session_id", "kind", "method", "created_by", "late"),
        {"postgresql_with": {"fillfactor": 70}},
    )

    session_id: Mapped[UUID] = mapped_column(ForeignKey("cash_sessions.id"))
    kind: Mapped[str]
    method: Mapped[str]
    created_by: Mapped[UUID]
    late: Mapped[bool]
    business_id: Mapped[UUID]
    amount: Mapped[Decimal] = mapped_column(_SUM)
    count: Mapped[int]
