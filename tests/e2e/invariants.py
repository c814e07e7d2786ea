"""What must be true of all databases, queues and logs once everything has come to rest, whatever happened before."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from contracts.events.registry import EVENTS, QUEUES
from stack.services import WITH_DATABASE

from e2e.polling import until
from e2e.stage import Stage

_SETTLING_SECONDS = 60.0

# Each gives the rows that should not be there. Tables of all services are at hand, which no service could see itself.
RULES: Mapping[str, str] = {
    "on hand is the sum of its movements, and not negative where that is not allowed": """
        SELECT level.product_id, level.branch_id, level.on_hand, sum(movement.change) AS moved
        FROM catalog.stock_levels AS level
        LEFT JOIN catalog.stock_movements AS movement
            ON movement.product_id = level.product_id AND movement.branch_id = level.branch_id
        GROUP BY level.id HAVING level.on_hand <> coalesce(sum(movement.change), 0)
            OR (level.on_hand < 0 AND NOT level.allow_negative)""",
    "reserved is the sum of open reservations": """
        SELECT level.product_id, level.branch_id, level.reserved, open.quantity FROM catalog.stock_levels AS level
        LEFT JOIN (
            SELECT line.product_id, reservation.branch_id, sum(line.quantity) AS quantity
            FROM catalog.reservation_lines AS line JOIN catalog.reservations AS reservation USING (sale_id)
            WHERE reservation.status = 'RESERVED' GROUP BY 1, 2
        ) AS open USING (product_id, branch_id)
        WHERE level.reserved <> coalesce(open.quantity, 0)""",
    "what left the stock for a sale is what it sold and did not take back": """
        SELECT sale.id, sale.status, item.product_id, sum(item.quantity) AS sold, back.quantity AS back, taken.quantity
        FROM sales.sales AS sale JOIN sales.sale_items AS item ON item.sale_id = sale.id
        LEFT JOIN (
            SELECT refund.sale_id, line.product_id, sum(part.quantity) AS quantity FROM sales.refunds AS refund
            JOIN sales.refund_items AS part ON part.refund_id = refund.id
            JOIN sales.sale_items AS line ON line.id = part.sale_item_id
            WHERE refund.status = 'SUCCEEDED' AND refund.restock AND refund.note IS NULL GROUP BY 1, 2
        ) AS back ON back.sale_id = sale.id AND back.product_id = item.product_id
        LEFT JOIN (
            SELECT sale_id, product_id, -sum(change) AS quantity FROM catalog.stock_movements
            WHERE sale_id IS NOT NULL GROUP BY 1, 2
        ) AS taken ON taken.sale_id = sale.id AND taken.product_id = item.product_id
        GROUP BY sale.id, item.product_id, back.quantity, taken.quantity
        HAVING coalesce(taken.quantity, 0) + coalesce(back.quantity, 0)
            <> CASE WHEN sale.completed_at IS NULL THEN 0 ELSE sum(item.quantity) END""",
    "what was given back of a sale is the sum of its refunds, on its lines as in its drawer": """
        SELECT sale.id, sale.status, sale.refunded_amount, given.amount, given.cash, line.refunded, drawer.paid_out
        FROM sales.sales AS sale
        LEFT JOIN (
            SELECT sale_id, sum(amount) AS amount, sum(cash_amount) AS cash, sum(cash_returned) AS returned,
                   sum(cash_returned) FILTER (WHERE cash_session_id IS NOT NULL) AS from_drawers
            FROM sales.refunds WHERE status = 'SUCCEEDED' GROUP BY 1
        ) AS given ON given.sale_id = sale.id
        LEFT JOIN (
            SELECT sale_id, sum(refunded_amount) AS refunded FROM sales.sale_items GROUP BY 1
        ) AS line ON line.sale_id = sale.id
        LEFT JOIN (
            SELECT refund.sale_id, -sum(entry.amount) AS paid_out FROM sales.cash_entries AS entry
            JOIN sales.refunds AS refund ON refund.id = entry.reference
            WHERE entry.kind = 'REFUND' AND entry.method = 'CASH' GROUP BY 1
        ) AS drawer ON drawer.sale_id = sale.id
        WHERE sale.completed_at IS NOT NULL AND (
            sale.refunded_amount <> coalesce(given.amount, 0) OR sale.refund_reserved <> line.refunded
            OR coalesce(given.from_drawers, 0) <> coalesce(drawer.paid_out, 0)
            OR (sale.total > 0 AND sale.status <> CASE WHEN sale.refunded_amount = 0 THEN 'COMPLETED'
                WHEN sale.refunded_amount = sale.total THEN 'REFUNDED' ELSE 'PARTIALLY_REFUNDED' END))""",
    "a drawer expects the sum of its ledger, and a sold sale's cash is in it once": """
        SELECT session.id, session.expected, session.late_cash, entered.cash, entered.late
        FROM sales.cash_sessions AS session
        LEFT JOIN (
            SELECT session_id, sum(amount) FILTER (WHERE NOT late AND kind <> 'CLOSING') AS cash,
                   sum(amount) FILTER (WHERE late) AS late
            FROM sales.cash_entries WHERE method = 'CASH' GROUP BY 1
        ) AS entered ON entered.session_id = session.id
        WHERE session.expected <> coalesce(entered.cash, 0) OR session.late_cash <> coalesce(entered.late, 0)
            OR EXISTS (
                SELECT FROM sales.sales AS sale LEFT JOIN sales.cash_entries AS entry
                    ON entry.reference = sale.id AND entry.kind = 'SALE' AND entry.method = 'CASH'
                WHERE sale.cash_session_id = session.id AND sale.completed_at IS NOT NULL
                    AND sale.cash_amount + sale.rounding <> coalesce(entry.amount, 0))""",
    "a till has sent as many sales as it has of its own, and misses no number that came": """
        SELECT device.name, device.sales, sold.count FROM sales.devices AS device
        LEFT JOIN (
            SELECT business_id, till, count(*), range_agg(int8range(till_sequence, till_sequence, '[]')) AS numbers
            FROM sales.sales WHERE till IS NOT NULL AND completed_at IS NOT NULL GROUP BY 1, 2
        ) AS sold ON sold.business_id = device.business_id AND sold.till = device.name
        WHERE device.sales <> coalesce(sold.count, 0) OR device.missing && sold.numbers""",
    "only a sale that waits for its payment has goods reserved": """
        SELECT sale_id, sale.status, sale.step FROM catalog.reservations AS reservation
        JOIN sales.sales AS sale ON sale.id = reservation.sale_id
        WHERE reservation.status = 'RESERVED' AND sale.status <> 'PENDING_PAYMENT'""",
    "every sold sale has one receipt or fiscal document of its amount, and no other sale has one": """
        SELECT sale.id, sale.status, sale.total, count(invoice.id), max(invoice.status), max(invoice.kind)
        FROM sales.sales AS sale
        LEFT JOIN billing.invoices AS invoice
            ON invoice.sale_id = sale.id AND invoice.kind IN ('RECEIPT', 'TICKET', 'INVOICE')
        GROUP BY sale.id
        HAVING count(invoice.id) <> CASE WHEN sale.completed_at IS NULL THEN 0 ELSE 1 END
            OR bool_or(invoice.status <> 'ISSUED' OR invoice.total <> sale.total)""",
    "numbers of receipts have no gap and no double": """
        SELECT business_id, series, count(*), max(number), max(last_number)
        FROM billing.invoices JOIN billing.number_series USING (business_id, series)
        WHERE kind = 'RECEIPT' GROUP BY 1, 2
        HAVING count(*) <> max(number) OR min(number) <> 1 OR count(DISTINCT number) <> count(*)
            OR max(number) <> max(last_number)""",
    "a payment is confirmed once, and said so once": """
        SELECT payment.id, payment.status, moves.confirmed, said.confirmed
        FROM payments.payments AS payment
        LEFT JOIN (
            SELECT payment_id, count(*) AS confirmed FROM payments.payment_events
            WHERE kind = 'transition' AND to_status = 'CONFIRMED' GROUP BY 1
        ) AS moves ON moves.payment_id = payment.id
        LEFT JOIN (
            SELECT aggregate_id, count(DISTINCT event_id) AS confirmed FROM payments.outbox
            WHERE type = 'payment.confirmed' GROUP BY 1
        ) AS said ON said.aggregate_id = payment.id
        WHERE coalesce(moves.confirmed, 0) <> coalesce(said.confirmed, 0) OR moves.confirmed > 1
            OR (payment.status IN ('CONFIRMED', 'PARTIALLY_REFUNDED', 'REFUNDED')) <> (moves.confirmed IS NOT NULL)""",
    "a sale by other means than cash is complete when its payment is, and is worth it": """
        SELECT sale.id, sale.status, sale.step, sale.payment_note, payment.status AS payment
        FROM sales.sales AS sale JOIN payments.payments AS payment ON payment.id = sale.transaction_id
        WHERE (sale.completed_at IS NOT NULL
                AND payment.status NOT IN ('CONFIRMED', 'PARTIALLY_REFUNDED', 'REFUNDED'))
            OR (sale.completed_at IS NULL AND payment.status IN ('CONFIRMED', 'PARTIALLY_REFUNDED'))
            OR sale.total - sale.cash_amount <> payment.amount""",
    "nobody is written to twice for one reason": """
        SELECT cause_event_id, template, channel, count(*) FROM notifications.notifications
        GROUP BY cause_event_id, template, channel, recipient_index HAVING count(*) > 1""",
    "reports know every sold sale, and its amount": """
        SELECT sale.id, sale.status, sale.total, fact.status AS reported, fact.total AS reported_total
        FROM sales.sales AS sale LEFT JOIN analytics.sale_facts AS fact USING (id)
        WHERE sale.completed_at IS NOT NULL
            AND (fact.completed_at IS NOT NULL, fact.total) IS DISTINCT FROM (true, sale.total)""",
}

# What is still under way. A sale that waits for its buyer is at rest.
_UNFINISHED: Mapping[str, str] = {
    **{
        f"outbox of {service}": f"SELECT type, attempts, last_error FROM {service}.outbox WHERE sent_at IS NULL"
        for service in WITH_DATABASE
    },
    "sales": "SELECT id, step FROM sales.sales WHERE step NOT IN ('SETTLED', 'AWAITING_PAYMENT')",
    "refunds of sales": "SELECT id, step FROM sales.refunds WHERE step NOT IN ('DONE', 'FAILED')",
    "invoices": "SELECT id, failure_reason FROM billing.invoices WHERE status = 'PENDING'",
    "messages": "SELECT id, failure_reason FROM notifications.notifications WHERE status = 'PENDING'",
    "refunds": "SELECT id, status FROM payments.refunds WHERE status IN ('SUBMITTING', 'UNKNOWN')",
}


async def come_to_rest(stage: Stage, *, except_for: frozenset[str] = frozenset()) -> None:
    """Return when nothing is under way any more; AssertionError with what still is after a minute."""
    await until(lambda: _unfinished(stage, except_for), lambda found: not any(found.values()), within=_SETTLING_SECONDS)


async def violations(stage: Stage) -> dict[str, str]:
    """The rules that do not hold, each with some of its rows."""
    found = {rule: await stage.rows(query) for rule, query in RULES.items()}
    return {rule: f"{len(rows)}: {rows[:3]}" for rule, rows in found.items() if rows}


async def missing_deliveries(stage: Stage) -> dict[str, list[str]]:
    """Types of events that a queue's owner never took in, by queue. Nothing may be in a dead-letter queue either."""
    missing: dict[str, list[str]] = {}
    for queue in QUEUES:
        types = [event.type for event in queue.events]
        published = " UNION ALL ".join(
            f"SELECT event_id, type FROM {service}.outbox WHERE only_queue IS NULL" for service in WITH_DATABASE
        )
        rows = await stage.rows(
            f"SELECT type, count(*) FROM ({published}) AS event WHERE type = ANY($1) AND NOT EXISTS"
            f" (SELECT FROM {queue.service}.inbox AS seen WHERE seen.queue = $2 AND seen.event_id = event.event_id)"
            " GROUP BY type",
            types,
            queue.name,
        )
        if rows:
            missing[queue.name] = [f"{row['count']} {row['type']}" for row in rows]
    return missing


async def unknown_types(stage: Stage) -> set[str]:
    """Types in an outbox that the registry does not know."""
    found: set[str] = set()
    for service in WITH_DATABASE:
        found |= {row["type"] for row in await stage.rows(f"SELECT DISTINCT type FROM {service}.outbox")}
    return found - set(EVENTS)


async def told_secrets(stage: Stage) -> dict[str, list[str]]:
    """Services whose log shows a phone, an e-mail address, a password or a token that was used, with an example."""
    return await asyncio.to_thread(_told_secrets, stage)


def _told_secrets(stage: Stage) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {}
    for service in stage.services:
        log = stage.suite.logs(service)
        for secret in stage.secrets:
            position = log.find(secret)
            if position >= 0:
                told.setdefault(service, []).append(log[max(0, position - 200) : position + 60])
    return told


# Money of another amount than asked for is an error that somebody has to look at, and is brought about on purpose.
_PROVOKED = frozenset({"payments payment.disputed", "sales sale.amount_mismatch"})


def errors_logged(stage: Stage) -> dict[str, dict[str, object]]:
    """What services logged as errors and nobody meant to provoke: one line of each event."""
    found: dict[str, dict[str, object]] = {}
    for service in stage.services:
        for line in stage.suite.logs(service).splitlines():
            entry = _parsed(line)
            name = f"{service} {entry.get('event')}"
            if entry.get("level") in {"error", "critical"} and name not in _PROVOKED:
                found[name] = entry
    return found


def _parsed(line: str) -> dict[str, object]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


async def _unfinished(stage: Stage, except_for: frozenset[str]) -> dict[str, list[object]]:
    queries = {name: query for name, query in _UNFINISHED.items() if name not in except_for}
    found = {name: list(await stage.rows(f"{query} LIMIT 3")) for name, query in queries.items()}
    missing = await missing_deliveries(stage)
    return {name: rows for name, rows in {**found, "deliveries": [missing] if missing else []}.items() if rows}
