"""What PayU's twin posts, and how often."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from twins.payu.signing import confirmed_value


@pytest.mark.parametrize(
    ("verb", "state_pol", "code", "message"),
    [
        ("pay", "4", "1", "APPROVED"),
        ("decline", "6", "5", "ENTITY_DECLINED"),
        ("expire", "5", "20", "EXPIRED_TRANSACTION"),
    ],
)
async def test_every_end_is_told(payu: Any, receiver: Any, verb: str, state_pol: str, code: str, message: str) -> None:
    reference = payu.reference()
    answer = await payu.submit(payu.payment(reference))
    await getattr(payu.twin, verb)(reference)
    [fields] = await payu.told(reference)
    assert (fields["state_pol"], fields["response_code_pol"], fields["response_message_pol"]) == (
        state_pol,
        code,
        message,
    )
    response = answer["transactionResponse"]
    assert fields["transaction_id"] == response["transactionId"]
    assert fields["reference_pol"] == str(response["orderId"])
    assert (fields["value"], fields["cus"] != "", fields["attempts"]) == ("65000.00", True, "1")
    assert fields["sign"] == payu.sign(reference, "65000.0", "COP", state_pol)
    _, headers = receiver.received[-1]
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"


async def test_nine_attempts_and_no_more(other_payu: Any, receiver: Any) -> None:
    receiver.answers = [500, 204, 302] * 10
    async with other_payu(time_scale=1e6) as payu:
        reference = payu.reference()
        await payu.submit(payu.payment(reference))
        await payu.twin.pay(reference)
        [delivery] = await payu.settled(reference)
        assert (delivery["state"], delivery["attempts"]) == ("failed", 9)
        sent = await payu.told(reference, count=9)
    assert [fields["attempts"] for fields in sent] == [str(attempt) for attempt in range(1, 10)]
    assert len({fields["sign"] for fields in sent}) == 1


async def test_a_wrong_amount_is_well_signed(payu: Any, receiver: Any) -> None:
    reference = payu.reference()
    await payu.submit(payu.payment(reference))
    await payu.twin.fault("wrong_amount", reference=reference)
    await payu.twin.pay(reference)
    [fields] = await payu.told(reference)
    assert fields["value"] == "65001.00"
    value = confirmed_value(Decimal(fields["value"]))
    assert fields["sign"] == payu.sign(reference, value, "COP", "4")


async def test_what_was_left_undone_goes_on_after_a_restart(other_payu: Any, receiver: Any, tmp_path: Path) -> None:
    receiver.answers = [503]
    async with other_payu(data_dir=tmp_path, time_scale=60) as payu:
        reference = payu.reference()
        await payu.submit(payu.payment(reference))
        await payu.twin.pay(reference)
        await payu.told(reference)
    async with other_payu(data_dir=tmp_path, time_scale=60) as payu:
        [order] = await payu.twin.payments(reference)
        assert order["status"] == "CAPTURED"
        await payu.told(reference, count=2)
