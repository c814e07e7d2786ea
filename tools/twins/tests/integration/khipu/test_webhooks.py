from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twins.khipu.settings import KhipuTwinSettings
from twins.testing import ProviderTwin, running_twins

Reach = Callable[[ProviderTwin], Any]


async def test_it_comes_when_the_payment_is_conciliated(twin: ProviderTwin, khipu: Any, receiver: Any) -> None:
    payment_id = await khipu.payment(transaction_id="told", custom="{}")
    await twin.pay(payment_id)
    [(body, headers)] = await khipu.told(payment_id)
    assert khipu.holds(body, headers)
    assert not khipu.holds(json.dumps(json.loads(body), separators=(",", ":")).encode(), headers)
    told = json.loads(body)
    assert (told["amount"], told["currency"], told["transaction_id"]) == ("15050.0000", "CLP", "told")
    assert (told["receiver_id"], told["custom"], told["discount"]) == (990939, "{}", "0.0000")
    assert not {"status", "event", "payer_email"} & set(told)


async def test_nothing_else_is_told(twin: ProviderTwin, khipu: Any, receiver: Any) -> None:
    declined, expired, deleted, paid = [await khipu.payment() for _ in range(4)]
    await twin.decline(declined)
    await twin.expire(expired)
    await khipu("DELETE", f"/payments/{deleted}")
    await twin.pay(paid)
    await khipu("POST", "/refunds", {"type": "full", "payment_id": paid})
    await twin.settle_refunds(paid)
    await khipu.settled(paid)
    assert [await twin.deliveries(id) for id in (declined, expired, deleted)] == [[], [], []]
    assert len(await twin.deliveries(paid)) == 1


async def test_without_an_address_nothing_is_told(twin: ProviderTwin, khipu: Any) -> None:
    for changes in ({"notify_api_version": None}, {"notify_api_version": "1.3"}):
        payment_id = await khipu.payment(**changes)
        await twin.pay(payment_id)
        assert await twin.deliveries(payment_id) == []


@pytest.mark.parametrize("sign_again", [False, True])
async def test_it_is_repeated_until_a_200(receiver: Any, reach: Reach, sign_again: bool) -> None:
    own = KhipuTwinSettings(sign_again=sign_again)
    async with running_twins(khipu=own, time_scale=3000) as twins:
        twin = twins.provider("khipu")
        khipu = reach(twin)
        payment_id = await khipu.payment()
        receiver.answers = [500, 201, 302]
        await twin.pay(payment_id)
        [delivery] = await khipu.settled(payment_id)
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 4)
    assert all(khipu.holds(*sent) for sent in receiver.received)
    assert len({body for body, _ in receiver.received}) == 1
    signatures = {headers["x-khipu-signature"] for _, headers in receiver.received}
    assert len(signatures) == (4 if sign_again else 1)


async def test_it_is_given_up_before_two_days_are_over(receiver: Any, reach: Reach) -> None:
    receiver.answers = [500] * 50
    async with running_twins(time_scale=1e6) as twins:
        twin = twins.provider("khipu")
        khipu = reach(twin)
        payment_id = await khipu.payment()
        await twin.pay(payment_id)
        [delivery] = await khipu.settled(payment_id)
    assert (delivery["state"], delivery["attempts"]) == ("failed", 9)
    receiver.answers.clear()


@pytest.mark.parametrize("kind", ["forged", "altered"])
async def test_a_strangers_post_comes_first_and_once(twin: ProviderTwin, khipu: Any, receiver: Any, kind: str) -> None:
    receiver.answers = [401]
    payment_id = await khipu.payment()
    await twin.fault(kind, reference=payment_id)
    await twin.pay(payment_id)
    await khipu.settled(payment_id)
    assert [khipu.holds(*sent) for sent in receiver.received] == [False, True]
    amounts = [json.loads(body)["amount"] for body, _ in receiver.received]
    assert amounts == ["15050.0000" if kind == "forged" else "15150.0000", "15050.0000"]


async def test_duplicate_drop_late_and_wrong_amount(twin: ProviderTwin, khipu: Any, receiver: Any) -> None:
    duplicate, drop, late, wrong = [await khipu.payment() for _ in range(4)]
    await twin.fault("duplicate", reference=duplicate, count=2)
    await twin.fault("drop", reference=drop)
    await twin.fault("late", reference=late, seconds=0.4)
    await twin.fault("wrong_amount", reference=wrong)
    before = time.monotonic()
    for payment_id in (late, duplicate, drop, wrong):
        await twin.pay(payment_id)
    assert len({body for body, _ in await khipu.told(duplicate, 3)}) == 1
    assert await twin.deliveries(drop) == []
    [(body, headers)] = await khipu.told(wrong)
    assert khipu.holds(body, headers)
    assert json.loads(body)["amount"] == "15150.0000"
    await khipu.told(late)
    assert time.monotonic() - before >= 0.4


async def test_payments_and_webhooks_survive_a_restart(receiver: Any, reach: Reach, tmp_path: Path) -> None:
    receiver.answers = [503]
    async with running_twins(data_dir=tmp_path, time_scale=60) as twins:
        twin = twins.provider("khipu")
        khipu = reach(twin)
        payment_id = await khipu.payment(transaction_id="kept")
        await twin.pay(payment_id)
        await khipu.told(payment_id)
    async with running_twins(data_dir=tmp_path, time_scale=60) as twins:
        assert (await twins.provider("khipu").payments("kept"))[0]["status"] == "done"
        assert khipu.holds(*(await khipu.told(payment_id, 2))[1])
