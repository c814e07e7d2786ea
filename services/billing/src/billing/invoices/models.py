"""The table of documents."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Final
from uuid import UUID

from chassis.database.base import CreatedAt, Id, Version
from kernel import Currency, Money
from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from billing.base import Base
from billing.invoices.status import InvoiceKind, InvoiceStatus

# What the unique indexes cover, for whoever inserts into them.
FISCAL_OF_SALE: Final = text("kind IN ('TICKET', 'INVOICE') AND status <> 'CANCELED'")
CREDIT_OF_REFUND: Final = text("refund_id IS NOT NULL")
VOID: Final = text("kind = 'CREDIT_NOTE' AND refund_id IS NULL AND status <> 'FAILED'")


class Invoice(Base):
    """A document about a sale. `content` is what is printed, encrypted, and fixed once it was gathered.

    sale_id: of the one document that every sale has, its receipt or ticket. for_sale_id: of all about a sale, which is
    all but a GLOBAL. A fiscal document has no number until it is prepared, and then goes through `fiscal_state`
    (billing.transmission.states). global_id: of a receipt, the GLOBAL that its sale is in.

    All encrypted: basis (what a person or a refund asked for), request (the fiscal document), prepared (the bytes to be
    sent), answer (the authority's).
    """

    __tablename__ = "invoices"
    SEALED: ClassVar[frozenset[str]] = frozenset({"answer", "basis", "content", "prepared", "request"})

    id: Mapped[Id]
    business_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    sale_id: Mapped[UUID | None]
    for_sale_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(server_default=InvoiceKind.RECEIPT.value)
    series: Mapped[str | None]
    number: Mapped[int | None] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(server_default=InvoiceStatus.PENDING.value)
    currency: Mapped[str]
    subtotal: Mapped[Decimal]
    discount: Mapped[Decimal]
    tax: Mapped[Decimal]
    total: Mapped[Decimal]
    time_zone: Mapped[str]
    sold_at: Mapped[datetime]
    content: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    # When the document is due for (another) try. Taking it for one moves this on: the lease of whoever works on it.
    next_attempt_at: Mapped[datetime]
    worker: Mapped[UUID | None]
    failure_reason: Mapped[str | None]
    created_at: Mapped[CreatedAt]
    issued_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    version: Mapped[Version]
    refund_id: Mapped[UUID | None]
    origin_id: Mapped[UUID | None]
    basis: Mapped[str | None]
    request: Mapped[str | None]
    prepared: Mapped[str | None]
    payload_sha256: Mapped[str | None]
    answer: Mapped[str | None]
    xml_sha256: Mapped[str | None]
    fiscal_state: Mapped[str | None]
    document_type: Mapped[str | None]
    printed_number: Mapped[str | None]
    local_fiscal_id: Mapped[str | None]
    fiscal_id: Mapped[str | None]
    authority_ref: Mapped[str | None]
    contingency_since: Mapped[datetime | None]
    global_id: Mapped[UUID | None]
    cancel_motive: Mapped[str | None]
    cancel_substitution: Mapped[str | None]
    canceled_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("business_id", "sale_id"),
        UniqueConstraint("business_id", "series", "number"),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("status IN ('PENDING', 'ISSUED', 'FAILED', 'CANCELED')", name="status"),
        CheckConstraint("status <> 'ISSUED' OR (issued_at IS NOT NULL AND content IS NOT NULL)", name="issued"),
        Index("ix_invoices_list", "business_id", text("created_at DESC"), text("id DESC")),
        Index("ix_invoices_sale_id", "sale_id"),
        Index("ix_invoices_due", "next_attempt_at", postgresql_where=text("status = 'PENDING'")),
        CheckConstraint("kind IN ('RECEIPT', 'TICKET', 'INVOICE', 'CREDIT_NOTE', 'GLOBAL')", name="kind"),
        CheckConstraint("kind <> 'RECEIPT' OR (sale_id IS NOT NULL AND number IS NOT NULL)", name="receipt"),
        CheckConstraint(
            "kind = 'RECEIPT' OR status <> 'ISSUED' OR (fiscal_id IS NOT NULL AND number IS NOT NULL)", name="accepted"
        ),
        CheckConstraint("(kind = 'CREDIT_NOTE') = (origin_id IS NOT NULL)", name="credit_note"),
        Index("ix_invoices_for_sale_id", "for_sale_id"),
        Index("ix_invoices_global_id", "global_id", postgresql_where=text("global_id IS NOT NULL")),
        Index(
            "ix_invoices_uncovered",
            "business_id",
            "sold_at",
            postgresql_where=text("kind = 'RECEIPT' AND global_id IS NULL"),
        ),
        Index(
            "uq_invoices_fiscal_of_sale",
            "business_id",
            "for_sale_id",
            unique=True,
            postgresql_where=FISCAL_OF_SALE,
        ),
        Index(
            "uq_invoices_credit_note",
            "origin_id",
            "refund_id",
            unique=True,
            postgresql_where=CREDIT_OF_REFUND,
        ),
        Index("uq_invoices_void", "origin_id", unique=True, postgresql_where=VOID),
        Index(
            "ix_invoices_cancel_due",
            "next_attempt_at",
            postgresql_where=text("fiscal_state IN ('cancel_requested', 'cancel_pending')"),
        ),
        Index(
            "ix_invoices_contingency",
            "business_id",
            "series",
            "number",
            postgresql_where=text("contingency_since IS NOT NULL"),
        ),
    )

    @property
    def invoice_number(self) -> str:
        """As printed; empty of a fiscal document that has no number yet."""
        if self.printed_number is not None:
            return self.printed_number
        return f"{self.series}-{self.number:08d}" if self.number is not None else ""

    @property
    def is_fiscal(self) -> bool:
        return self.kind != InvoiceKind.RECEIPT

    def place(self, column: str) -> str:
        """Binds an encrypted column to this row."""
        return f"invoices.{column}:{self.id}"

    def money(self, amount: Decimal) -> Money:
        return Money.of(amount, Currency(self.currency))

    @property
    def content_place(self) -> str:
        return self.place("content")
