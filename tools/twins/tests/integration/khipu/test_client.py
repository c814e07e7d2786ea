"""khipu-tools, a client others wrote, unmodified but for its host, against the twin. Khipu has no official one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import khipu_tools
import pytest
from twins.khipu.settings import KhipuTwinSettings
from twins.testing import ProviderTwin

pytestmark = pytest.mark.contract

OWN = KhipuTwinSettings()


@pytest.fixture(autouse=True)
def client(twin: ProviderTwin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(khipu_tools, "api_base", twin.api_url)
    monkeypatch.setattr(khipu_tools, "api_key", OWN.api_key.get_secret_value())


async def call(method: Callable[..., Any], **params: Any) -> Any:
    """The client is synchronous, and the twin lives in this very loop."""
    return await asyncio.to_thread(method, **params)


async def create(**changes: Any) -> Any:
    values = {"amount": "5000", "currency": "CLP", "subject": "Cobro de prueba"}
    return await call(khipu_tools.Payments.create, **values | changes)


async def test_a_payment_is_created_paid_and_refunded(twin: ProviderTwin) -> None:
    created = await create(transaction_id="client-1")
    assert len(created.payment_id) == 12
    assert created.payment_url == f"{twin.api_url}/payment/info/{created.payment_id}"
    assert created.simplified_transfer_url.endswith(f"/payment/simplified/{created.payment_id}")
    assert created.app_url == f"khipu:///pos/{created.payment_id}"
    assert created.ready_for_terminal is False

    pending = await call(khipu_tools.Payments.get, payment_id=created.payment_id)
    assert (pending.status, pending.status_detail, pending.payment_method) == ("pending", "pending", "not_available")
    await twin.pay("client-1")
    paid = await call(khipu_tools.Payments.get, payment_id=created.payment_id)
    assert (paid.status, paid.status_detail, paid.amount) == ("done", "normal", 5000)
    assert (paid.bank, paid.receiver_id, paid.transaction_id) == ("DemoBank", OWN.receiver_id, "client-1")

    refund = await call(khipu_tools.Payments.refund, payment_id=created.payment_id, amount=1000)
    assert refund.message == "La reversa está en proceso."
    assert (await twin.journal("client-1"))["refunded_amount"] == 1000


async def test_a_payment_is_deleted() -> None:
    created = await create()
    assert (await call(khipu_tools.Payments.delete, payment_id=created.payment_id)).message == "Pago eliminado"
    deleted = await call(khipu_tools.Payments.get, payment_id=created.payment_id)
    assert (deleted.status, deleted.status_detail) == ("deleted", "pending")


async def test_banks_and_prediction() -> None:
    [bank] = (await call(khipu_tools.Banks.get)).banks
    assert (bank.bank_id, bank.name, bank.min_amount) == ("Bawdf", "DemoBank", 1)
    asked = {"payer_email": "a@b.cl", "bank_id": bank.bank_id, "currency": "CLP"}
    assert (await call(khipu_tools.Predict.get, amount="5000", **asked)).result == "ok"
    assert (await call(khipu_tools.Predict.get, amount="5000001", **asked)).result == "max_amount_exceeded"


async def test_a_refusal_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client raises nothing: it hands on whatever was answered."""
    refused = await create(amount="10.50")
    assert (refused.status, refused.errors[0].field) == (400, "amount")
    monkeypatch.setattr(khipu_tools, "api_key", "wrong")
    assert (await create()).status == 401
