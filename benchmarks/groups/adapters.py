"""What an adapter costs by itself: its verbs against a provider that answers at once, beside the bare HTTP call.

These rows need neither servers nor services.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
from kernel import Clock, Money, SystemClock, new_id
from psp.argentina.mercadopago.adapter import MercadoPagoAdapter
from psp.argentina.mercadopago.settings import MercadoPagoSettings
from psp.chile.khipu.adapter import KhipuAdapter
from psp.chile.khipu.settings import KhipuSettings
from psp.colombia.payu.adapter import PayuAdapter
from psp.colombia.payu.settings import PayuSettings
from psp.mexico.conekta.adapter import ConektaAdapter
from psp.mexico.conekta.settings import ConektaSettings
from psp.provider import BuyerDevice, Customer, IdentityDocument, IntentRequest, PaymentMethod, PaymentProvider
from pydantic import SecretStr
from stack.ports import PortPicker

from benchmarks.bench import GroupAlone
from benchmarks.table import Row, Table

_SAMPLES = Path(__file__).parents[2] / "libs/psp/tests/unit"
_KEY = SecretStr("key")
_UNBOUNDED = 100_000.0
_CALLS = 300
_ROUNDS = 5

Call = Callable[[], Awaitable[object]]


def _conekta(clock: Clock, url: str) -> PaymentProvider:
    return ConektaAdapter.open(clock, ConektaSettings(api_url=url, api_key=_KEY, calls_per_second=_UNBOUNDED))


def _mercadopago(clock: Clock, url: str) -> PaymentProvider:
    settings = MercadoPagoSettings(
        api_url=url, access_token=_KEY, external_pos_id="STORE001POS001", calls_per_second=_UNBOUNDED
    )
    return MercadoPagoAdapter.open(clock, settings)


def _khipu(clock: Clock, url: str) -> PaymentProvider:
    return KhipuAdapter.open(clock, KhipuSettings(api_url=url, api_key=_KEY, calls_per_second=_UNBOUNDED))


def _payu(clock: Clock, url: str) -> PaymentProvider:
    settings = PayuSettings(
        api_url=url,
        api_key=_KEY,
        api_login=_KEY,
        merchant_id="508029",
        account_id="512321",
        response_url="https://shop.example.com/gracias",
        calls_per_second=_UNBOUNDED,
    )
    return PayuAdapter.open(clock, settings)


@dataclass(frozen=True, slots=True)
class Subject:
    """created, read: what the provider answers, as its own documentation shows it."""

    open: Callable[[Clock, str], PaymentProvider]
    method: PaymentMethod
    created: str
    read: str


SUBJECTS = (
    Subject(_conekta, PaymentMethod.PAYMENT_LINK, "samples/order_checkout.json", "samples/order_checkout.json"),
    Subject(
        _mercadopago,
        PaymentMethod.QR_DYNAMIC,
        "mercadopago/samples/order_qr.json",
        "mercadopago/samples/order_qr.json",
    ),
    Subject(_khipu, PaymentMethod.PAYMENT_LINK, "khipu/samples/created.json", "khipu/samples/payment.json"),
    Subject(_payu, PaymentMethod.BANK_TRANSFER, "payu/samples/pse_pending.json", "payu/samples/order_captured.json"),
)


async def measure(table: Table) -> None:
    port = PortPicker().pick()
    files = [str(_SAMPLES / name) for subject in SUBJECTS for name in (subject.created, subject.read)]
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "benchmarks.canned_psp", str(port), *files)
    try:
        await _reachable(port)
        for position, subject in enumerate(SUBJECTS):
            for verb, path in (("create_payment_intent", 2 * position), ("fetch_payment", 2 * position + 1)):
                table.add(await _row(subject, verb, f"http://127.0.0.1:{port}/{path}"))
    finally:
        process.terminate()
        await process.wait()


async def _row(subject: Subject, verb: str, url: str) -> Row:
    clock = SystemClock()
    provider = subject.open(clock, url)
    request = _request(provider, subject.method, clock)
    creating = verb == "create_payment_intent"
    async with aiohttp.ClientSession() as session:

        async def bare() -> object:
            exchange = session.post(f"{url}/x", data=b"{}") if creating else session.get(f"{url}/x")
            async with exchange as answer:
                return json.loads(await answer.read())

        async def adapted() -> object:
            if creating:
                return await provider.create_payment_intent(request)
            return await provider.fetch_payment("1234567890")

        # In turns, so that whatever else the machine does meets both.
        rounds = [(await _seconds(bare), await _seconds(adapted)) for _ in range(_ROUNDS)]
    await provider.close()
    reference, whole = (statistics.median(times) * 1e6 for times in zip(*rounds, strict=True))
    return Row(
        f"{provider.name} {verb}, an adapter's own time",
        f"{whole - reference:,.0f} µs of {whole:,.0f} µs",
        f"bare aiohttp call {reference:,.0f} µs",
        whole / reference,
        floor=4,
        aim=2.5,
        higher_is_better=False,
    )


async def _seconds(call: Call) -> float:
    """Processor time of one call, of so many one after the other: what waits for a busy machine is not ours."""
    started = time.process_time()
    for _ in range(_CALLS):
        await call()
    return (time.process_time() - started) / _CALLS


def _request(provider: PaymentProvider, method: PaymentMethod, clock: Clock) -> IntentRequest:
    return IntentRequest(
        reference=new_id(),
        amount=Money(5_000_000, provider.currency),
        method=method,
        description="Café de olla",
        expires_at=clock.now() + timedelta(hours=1),
        customer=Customer("Ana Ruiz", "ana@example.com", "+573001234567", IdentityDocument("CC", "1020304050")),
        bank="1022",
        page_url="https://shop.example.com/pay",
        device=BuyerDevice("192.0.2.1", "Mozilla/5.0", "session", "cookie"),
    )


async def _reachable(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return


GROUP = GroupAlone("adapters", 80, measure)
