"""Payments are created, at a provider that answers at once."""

from __future__ import annotations

import json
import uuid

from benchmarks.bench import Bench, Group


async def measure(bench: Bench) -> None:
    body = {
        "businessId": bench.shop.business_id,
        "amount": "150.50",
        "method": "PAYMENT_LINK",
        "description": "Café de olla",
    }
    reference = bench.writing()
    load = bench.load(
        f"{bench.gateway}/api/v1/payments/intent",
        script="intent.lua",
        headers=bench.shop.headers,
        arguments=[json.dumps(body), uuid.uuid4().hex[:8]],
    )
    bench.against("POST /payments/intent through the gateway", load, reference, floor=0.08, aim=0.32)


GROUP = Group("intents", 40, measure)
