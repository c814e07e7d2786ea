"""Who gets the next try: fair shares, so that one slow endpoint or one busy business holds up nobody else.

There are two lanes. An endpoint is in the troubled one after a try that failed or took long, and back in the other
after one that went well. Within a lane an endpoint has a bound of deliveries in hand, and so has a business over all of
its endpoints; what is due is taken in turns: the first of every business, then the second of each, and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, insert, text, update
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.dialects.postgresql import UUID as PgUuid
from sqlalchemy.ext.asyncio import AsyncSession

from webhooks.deliveries.models import WebhookAttempt, WebhookDelivery
from webhooks.deliveries.status import DeliveryStatus


@dataclass(frozen=True, slots=True)
class Lane:
    """at_once: deliveries in hand of one process; per_endpoint, per_business: of all processes together."""

    name: str
    is_troubled: bool
    at_once: int
    per_endpoint: int
    per_business: int


REGULAR: Final = Lane("regular", is_troubled=False, at_once=96, per_endpoint=8, per_business=24)
TROUBLED: Final = Lane("troubled", is_troubled=True, at_once=32, per_endpoint=1, per_business=4)
LANES: Final = (REGULAR, TROUBLED)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery in hand, with what its endpoint says at this moment."""

    id: UUID
    endpoint_id: UUID
    business_id: UUID
    event_id: UUID
    event_type: str
    payload: str
    tries: int
    step: int
    url: str
    secret: str
    previous_secret: str | None
    previous_secret_until: datetime | None


# Claims of several processes one after the other, or each would grant an endpoint its bound.
_TURN: Final = text("SELECT pg_advisory_xact_lock(hashtext('webhook_deliveries'), hashtext('claim'))")

_TIME: Final = TIMESTAMP(timezone=True)
# Endpoints with something pending are found by skipping through the index, one probe each, however much each has.
_PENDING: Final = """
WITH RECURSIVE pending AS (
    (SELECT endpoint_id FROM webhook_deliveries WHERE status = 'PENDING' ORDER BY endpoint_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.endpoint_id FROM webhook_deliveries d
            WHERE d.status = 'PENDING' AND d.endpoint_id > p.endpoint_id ORDER BY d.endpoint_id LIMIT 1)
    FROM pending p WHERE p.endpoint_id IS NOT NULL
)"""
_CLAIM: Final = text(
    _PENDING  # noqa: S608 - constants
    + """,
in_hand AS (
    SELECT endpoint_id, business_id, count(*) AS n FROM webhook_deliveries
    WHERE worker IS NOT NULL AND next_attempt_at > :now GROUP BY endpoint_id, business_id
),
of_business AS (
    SELECT h.business_id, sum(h.n) AS n FROM in_hand h JOIN webhook_endpoints e ON e.id = h.endpoint_id
    WHERE e.is_troubled = :troubled GROUP BY h.business_id
),
due AS (
    SELECT d.id, e.business_id, d.next_attempt_at,
           coalesce(h.n, 0) + row_number() OVER (PARTITION BY e.id ORDER BY d.next_attempt_at, d.id) AS turn
    FROM pending p
    JOIN webhook_endpoints e
      ON e.id = p.endpoint_id AND e.is_active AND e.deleted_at IS NULL AND e.is_troubled = :troubled
    LEFT JOIN in_hand h ON h.endpoint_id = e.id
    CROSS JOIN LATERAL (
        SELECT w.id, w.next_attempt_at FROM webhook_deliveries w
        WHERE w.endpoint_id = e.id AND w.status = 'PENDING' AND w.next_attempt_at <= :now
        ORDER BY w.next_attempt_at, w.id LIMIT greatest(:per_endpoint - coalesce(h.n, 0), 0)
    ) d
),
ranked AS (
    SELECT due.id, due.next_attempt_at,
           coalesce(b.n, 0)
             + row_number() OVER (PARTITION BY due.business_id ORDER BY due.turn, due.next_attempt_at, due.id) AS turn
    FROM due LEFT JOIN of_business b ON b.business_id = due.business_id
),
chosen AS (
    SELECT id FROM ranked WHERE turn <= :per_business ORDER BY turn, next_attempt_at, id LIMIT :limit
)
UPDATE webhook_deliveries d SET worker = :worker, next_attempt_at = :until
FROM chosen, webhook_endpoints e
WHERE d.id = chosen.id AND e.id = d.endpoint_id AND d.status = 'PENDING' AND d.next_attempt_at <= :now
RETURNING d.id, d.endpoint_id, d.business_id, d.event_id, d.event_type, d.payload, d.tries, d.step,
          e.url, e.secret, e.previous_secret, e.previous_secret_until
"""
).bindparams(bindparam("now", type_=_TIME), bindparam("until", type_=_TIME), bindparam("worker", type_=PgUuid()))

_OLDEST_DUE: Final = text(
    _PENDING  # noqa: S608 - constants
    + """
SELECT e.is_troubled, min(d.next_attempt_at) AS since
FROM pending p
JOIN webhook_endpoints e ON e.id = p.endpoint_id AND e.is_active AND e.deleted_at IS NULL
CROSS JOIN LATERAL (
    SELECT w.next_attempt_at FROM webhook_deliveries w
    WHERE w.endpoint_id = e.id AND w.status = 'PENDING' AND w.next_attempt_at <= :now
    ORDER BY w.next_attempt_at, w.id LIMIT 1
) d
GROUP BY e.is_troubled
"""
).bindparams(bindparam("now", type_=_TIME))


async def claim(
    session: AsyncSession, lane: Lane, *, worker: UUID, now: datetime, until: datetime, limit: int
) -> Sequence[Claimed]:
    """Deliveries that are due in this lane, in hand of `worker` until `until`."""
    await session.execute(_TURN)
    rows = await session.execute(
        _CLAIM,
        {
            "now": now,
            "until": until,
            "worker": worker,
            "limit": limit,
            "troubled": lane.is_troubled,
            "per_endpoint": lane.per_endpoint,
            "per_business": lane.per_business,
        },
    )
    return [Claimed(**row._mapping) for row in rows]


async def oldest_due(session: AsyncSession, now: datetime) -> dict[bool, float]:
    """Seconds that what has waited longest for its turn has waited, by whether it is in the troubled lane."""
    rows = await session.execute(_OLDEST_DUE, {"now": now})
    return {bool(row.is_troubled): (now - row.since).total_seconds() for row in rows}


async def put_down(session: AsyncSession, claimed: Claimed, worker: UUID, values: dict[str, Any]) -> bool:
    """Write down what became of the try. False: the lease was lost, and another has it now."""
    statement = (
        update(WebhookDelivery)
        .where(
            WebhookDelivery.id == claimed.id,
            WebhookDelivery.worker == worker,
            WebhookDelivery.status == DeliveryStatus.PENDING.value,
        )
        .values(worker=None, tries=WebhookDelivery.tries + 1, **values)
        .returning(WebhookDelivery.id)
        .execution_options(synchronize_session=False)
    )
    return (await session.execute(statement)).first() is not None


async def add_attempt(session: AsyncSession, values: dict[str, Any]) -> None:
    await session.execute(insert(WebhookAttempt).values(**values))
