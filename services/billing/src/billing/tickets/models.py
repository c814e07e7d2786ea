"""The table of tickets."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from billing.base import Base


class FiscalTicket(Base):
    """name: which service of which authority, for which certificate. content: encrypted; null while there is none.
    claimed_until: somebody is asking for a new one until then."""

    __tablename__ = "fiscal_tickets"
    SEALED: ClassVar[frozenset[str]] = frozenset({"content"})

    business_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[str | None]
    expires_at: Mapped[datetime | None]
    claimed_until: Mapped[datetime | None]


def place(business_id: UUID, name: str) -> str:
    """Binds the encrypted content to its row."""
    return f"fiscal_tickets.content:{business_id}:{name}"
