"""Writing the ledger: the session's row is locked, then one statement writes the entry and moves the sums. The lock
lasts until the end of the transaction, so entries come last in one: many cashiers share a drawer.

Lock order of this service: sale, cash register, cash session.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from uuid import UUID

from chassis.database import UnitOfWork
from kernel import new_id
from sqlalchemy import text

from sales.cash_sessions.status import CASH, EntryKind

# A statement of its own, so that the next one's snapshot is taken under the lock: PostgreSQL would otherwise read the
# sums as they were before it waited.
_LOCK: Final = text("SELECT FROM cash_sessions WHERE id = :session AND business_id = :business FOR NO KEY UPDATE")
# The balance is the one that the entry leaves behind, for nobody else writes the row meanwhile. An entry that is
# there already (`fresh` has no row) moves nothing. After the closing the counted cash stays as it is: what comes late
# is told apart, and decides anew whether the difference needs the owner.
_ENTER: Final = text(
    """
WITH drawer AS (
    SELECT * FROM cash_sessions WHERE id = :session AND business_id = :business
), fresh AS (
    INSERT INTO cash_entries (id, business_id, branch_id, register_id, session_id, position, kind, method, amount,
                              balance, late, reference, reason, created_by, created_at)
    SELECT :id, business_id, branch_id, register_id, id, entries + 1, :kind, :method, :amount,
           expected + late_cash + :cash, status = 'CLOSED', :reference, :reason, :created_by, :now
    FROM drawer
    WHERE expected + late_cash + :cash >= :floor OR :floor IS NULL
    ON CONFLICT (business_id, reference, kind, method) DO NOTHING
    RETURNING session_id, late, balance
), summed AS (
    INSERT INTO cash_totals (session_id, business_id, kind, method, created_by, late, amount, count)
    SELECT session_id, :business, :kind, :method, :created_by, late, :amount, 1 FROM fresh
    ON CONFLICT (session_id, kind, method, created_by, late)
    DO UPDATE SET amount = cash_totals.amount + excluded.amount, count = cash_totals.count + 1
)
UPDATE cash_sessions AS session SET
    entries = session.entries + 1,
    expected = session.expected + CASE WHEN fresh.late THEN 0 ELSE :cash END,
    lowest = CASE WHEN fresh.late THEN session.lowest ELSE least(session.lowest, session.expected + :cash) END,
    late_cash = session.late_cash + CASE WHEN fresh.late THEN :cash ELSE 0 END,
    needs_approval = CASE WHEN fresh.late AND :cash <> 0
        THEN abs(session.closing_cash - session.expected - session.late_cash - :cash) > session.tolerance
        ELSE session.needs_approval END
FROM fresh
WHERE session.id = fresh.session_id
RETURNING fresh.late, fresh.balance
"""
)


@dataclass(frozen=True, slots=True)
class Entry:
    """amount: signed, in the session's currency. reference: see CashEntry. floor: refuse the entry where it would leave
    less than this; None lets it be."""

    session_id: UUID
    business_id: UUID
    kind: EntryKind
    amount: Decimal
    reference: UUID
    created_by: UUID
    method: str = CASH
    reason: str | None = None
    floor: Decimal | None = None

    @property
    def cash(self) -> Decimal:
        """What it does to the drawer."""
        return self.amount if self.method == CASH else Decimal(0)


@dataclass(frozen=True, slots=True)
class Entered:
    """id: of the new entry. late: the session had been closed. balance: the cash that should lie there after it."""

    id: UUID
    late: bool
    balance: Decimal


async def enter(unit: UnitOfWork, entry: Entry) -> Entered | None:
    """None where nothing was entered: it was before, it is below the floor, or there is no such session."""
    await unit.session.flush()
    entry_id = new_id()
    parameters = {
        "id": entry_id,
        "session": entry.session_id,
        "business": entry.business_id,
        "kind": entry.kind.value,
        "method": entry.method,
        "amount": entry.amount,
        "cash": entry.cash,
        "floor": entry.floor,
        "reference": entry.reference,
        "reason": entry.reason,
        "created_by": entry.created_by,
        "now": unit.clock.now(),
    }
    await unit.session.execute(_LOCK, {"session": entry.session_id, "business": entry.business_id})
    row = (await unit.session.execute(_ENTER, parameters)).first()
    return None if row is None else Entered(entry_id, row.late, row.balance)
