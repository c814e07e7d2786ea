"""What is open at a counter."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from chassis.database import SCOPED, Database, Statement

from payments.intents.models import Payment
from payments.intents.repository import SELECT_SQL, payment_of

_OPEN: Final = Statement(
    f"{SELECT_SQL} FROM payments WHERE payment_method_id = :method_id AND NOT self_service AND status = 'PENDING'"
    f" AND payment_link IS NOT NULL AND cancel_requested_at IS NULL AND expires_at > :now AND {SCOPED}"
    " ORDER BY created_at DESC, id DESC LIMIT 1"
)
_BEGUN: Final = Statement(
    "SELECT count(*) FROM (SELECT FROM payments WHERE payment_method_id = :method_id AND self_service"  # noqa: S608
    f" AND created_at > :since AND {SCOPED} LIMIT :most) AS begun"
)


async def open_payment(database: Database, method_id: UUID, now: datetime) -> Payment | None:
    """The newest that the till has opened and nobody has paid."""
    record = await database.fetch_row(_OPEN, {"method_id": method_id, "now": now})
    return None if record is None else payment_of(record)


async def begun(database: Database, method_id: UUID, now: datetime, span: timedelta, most: int) -> int:
    """How many buyers have opened a payment by themselves in this span, counted up to `most`."""
    record = await database.fetch_row(_BEGUN, {"method_id": method_id, "since": now - span, "most": most})
    return 0 if record is None else int(record[0])
