"""How long the confirmation of a payment waits while fifty thousand reports are queued."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import asyncpg
from chassis.crypto import FieldCipher

from benchmarks.bench import Bench, Group
from benchmarks.table import Row

_QUEUED = 50_000
_CONFIRMED = 50
_RECIPIENT = "reports@example.com"
_CONTENT = '{"text": "x", "subject": "x", "html": "<p>x</p>"}'
_INSERT = """
    INSERT INTO notifications (id, business_id, cause_event_id, cause, lane, channel, template, language, recipient,
        recipient_index, content, created_at, next_attempt_at)
    VALUES ($1, $2, $3, $4, $5, 'EMAIL', $6, 'es', $7, $8, $9, $10, $10)"""
_DELAYS = """
    SELECT extract(epoch FROM sent_at - created_at) * 1000 AS delay FROM notifications
    WHERE business_id = $1 AND lane = 'CRITICAL' AND sent_at IS NOT NULL ORDER BY 1"""


async def measure(bench: Bench) -> None:
    cipher = FieldCipher.parse(bench.suite.secrets["FIELD_ENCRYPTION_KEYS"])
    connection = await asyncpg.connect(bench.suite.database_url("notifications"))
    try:
        # As the system's own work: the rows are several businesses'.
        await connection.execute("SELECT set_config('cobro.tenants', '*', false)")
        alone = await _confirmations(connection, cipher)
        await _queue(connection, cipher, uuid.uuid4(), "NORMAL", _QUEUED)
        beside = await _confirmations(connection, cipher)
        left = await connection.fetchval("SELECT count(*) FROM notifications WHERE lane = 'NORMAL' AND sent_at IS NULL")
        await connection.execute("DELETE FROM notifications WHERE lane = 'NORMAL'")
    finally:
        await connection.close()
    bench.table.add(
        Row(
            f"payment confirmation sent, p99 with {_QUEUED:,} reports queued",
            f"p50 {beside[len(beside) // 2]:.0f} ms, {left:,} reports still queued",
            f"empty lane: p50 {alone[len(alone) // 2]:.0f} ms, p99 {alone[-1]:.0f} ms",
            beside[-1],
            "ms",
            5000,
            2500,
            False,
        )
    )


async def _confirmations(connection: asyncpg.Connection, cipher: FieldCipher) -> list[float]:
    """Written as a consumer writes them, without waking the sender, who looks by itself every two seconds."""
    business_id = uuid.uuid4()
    for _ in range(_CONFIRMED):
        await _queue(connection, cipher, business_id, "CRITICAL", 1)
        await asyncio.sleep(0.05)
    for _ in range(300):
        delays = [float(row["delay"]) for row in await connection.fetch(_DELAYS, business_id)]
        if len(delays) == _CONFIRMED:
            return delays
        await asyncio.sleep(0.1)
    raise RuntimeError("the confirmations were not sent within half a minute")


async def _queue(
    connection: asyncpg.Connection, cipher: FieldCipher, business_id: uuid.UUID, lane: str, count: int
) -> None:
    critical = lane == "CRITICAL"
    at = datetime.now(UTC) - (timedelta() if critical else timedelta(hours=1))
    cause, template = ("payment.confirmed", "payment_received") if critical else ("stock.low", "stock_low")

    def row(id: uuid.UUID) -> tuple[object, ...]:
        recipient = cipher.encrypt(_RECIPIENT, context=f"notifications.recipient:{id}")
        content = cipher.encrypt(_CONTENT, context=f"notifications.content:{id}")
        return (id, business_id, uuid.uuid4(), cause, lane, template, recipient, id.bytes, content, at)

    await connection.executemany(_INSERT, [row(uuid.uuid4()) for _ in range(count)])


GROUP = Group("lanes", 110, measure)
