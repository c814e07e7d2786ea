"""PayU's twin spoken to by hand, in the words of PayU's documentation."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from twins.payu import requests
from twins.payu.errors import ApiError
from twins.payu.signing import shown_value
from twins.testing import ControlRefused

API_KEY = "4Vj8eK4rloUd272L48hsrarnUA"
API_LOGIN = "pRRXKOl8ikMmt9u"


class TestAdmission:
    @pytest.mark.parametrize("merchant", [None, {}, {"apiKey": API_KEY}, {"apiKey": "x", "apiLogin": API_LOGIN}, "x"])
    async def test_credentials_are_in_the_body(self, payu: Any, merchant: Any) -> None:
        status, answer = await payu("payments", "PING", merchant=merchant)
        assert (status, answer["code"], answer["error"]) == (200, "ERROR", "Invalid credentials")

    async def test_without_accept_the_answer_is_xml(self, payu: Any) -> None:
        url = f"{payu.twin.api_url}/payments-api/4.0/service.cgi"
        async with payu.session.post(url, json={"command": "PING"}) as answer:
            assert answer.content_type == "application/xml"
            assert "<code>ERROR</code>" in await answer.text()

    async def test_ping(self, payu: Any) -> None:
        for section in ("payments", "reports"):
            assert (await payu(section, "PING"))[1]["code"] == "SUCCESS"

    @pytest.mark.parametrize("body", [b"{", b"[]", b"null", b"\xff", b"[" * 50_000])
    async def test_what_is_no_command_is_refused(self, payu: Any, body: bytes) -> None:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        url = f"{payu.twin.api_url}/payments-api/4.0/service.cgi"
        async with payu.session.post(url, data=body, headers=headers) as answer:
            assert (await answer.json())["code"] == "ERROR"

    async def test_a_command_belongs_to_its_address(self, payu: Any) -> None:
        assert (await payu("reports", "SUBMIT_TRANSACTION", transaction={}))[1]["code"] == "ERROR"
        assert (await payu("payments", "ORDER_DETAIL", details={"orderId": 1}))[1]["code"] == "ERROR"
        assert (await payu("payments", "NO_SUCH"))[1]["code"] == "ERROR"


class TestPse:
    async def test_the_banks(self, payu: Any) -> None:
        information = {"paymentMethod": "PSE", "paymentCountry": "CO"}
        _, answer = await payu("payments", "GET_BANKS_LIST", bankListInformation=information)
        assert set(answer["banks"][0]) == {"id", "description", "pseCode"}

    async def test_a_payment_leads_to_the_bank(self, payu: Any) -> None:
        reference = payu.reference()
        answer = await payu.submit(payu.payment(reference))
        response = answer["transactionResponse"]
        assert (response["state"], response["pendingReason"]) == ("PENDING", "AWAITING_NOTIFICATION")
        assert response["responseCode"] == "PENDING_TRANSACTION_CONFIRMATION"
        async with payu.session.get(response["extraParameters"]["BANK_URL"]) as page:
            text = await page.text()
        for verb in ("pay", "decline", "expire"):
            assert re.search(rf'action="[^"]+/{verb}"', text)
        assert (await payu.query(orderId=response["orderId"]))["referenceCode"] == reference
        assert (await payu.query(transactionId=response["transactionId"]))["state"] == "PENDING"
        assert [order["id"] for order in await payu.query(referenceCode=reference)] == [response["orderId"]]

    async def test_a_person_presses_pay(self, payu: Any) -> None:
        reference = payu.reference()
        response = (await payu.submit(payu.payment(reference)))["transactionResponse"]
        async with payu.session.get(response["extraParameters"]["BANK_URL"]) as page:
            address = page.url
        async with payu.session.post(f"{address}/pay") as page:
            text = await page.text()
        assert "Pagado" in text
        link = re.search(r'href="(http://www.payu.com/response[^"]+)"', text)
        assert link is not None
        query = dict(parse_qsl(urlsplit(link.group(1).replace("&amp;", "&")).query))
        value = shown_value(Decimal(query["TX_VALUE"]))
        assert query["transactionState"] == "4"
        assert query["signature"] == payu.sign(reference, value, "COP", "4")

    @pytest.mark.parametrize(
        "changes",
        [
            {"paymentCountry": "AR"},
            {"type": "CAPTURE"},
            {"payer": {}},
            {"cookie": ""},
            {"extraParameters": {}},
            {"order": None},
        ],
    )
    async def test_what_payu_refuses(self, payu: Any, changes: Any) -> None:
        reference = payu.reference()
        answer = await payu.submit(payu.payment(reference, **changes))
        assert (answer["code"], answer["transactionResponse"]) == ("ERROR", None)
        assert await payu.query(referenceCode=reference) is None

    @pytest.mark.parametrize("value", [0, -1, 65000.5, "x", None, True])
    async def test_amounts_are_whole_pesos(self, payu: Any, value: Any) -> None:
        assert (await payu.submit(payu.payment(payu.reference(), value)))["code"] == "ERROR"

    async def test_a_wrong_signature_is_refused(self, payu: Any) -> None:
        payment = payu.payment(payu.reference())
        payment["order"]["signature"] = payu.sign("other", "65000", "COP")
        assert (await payu.submit(payment))["code"] == "ERROR"

    async def test_a_reference_used_twice_is_two_orders(self, payu: Any) -> None:
        """PayU wants references unique, and does not promise to see to it."""
        reference = payu.reference()
        for _ in range(2):
            assert (await payu.submit(payu.payment(reference)))["code"] == "SUCCESS"
        assert len(await payu.query(referenceCode=reference)) == 2
        assert (await payu.twin.journal(reference))["payments"] == 2

    def test_or_refused_where_that_is_switched_on(self, alone: Any, words: Any) -> None:
        with alone(unique_references=True) as here:
            payment = requests.read_payment(words.payment("R1"), here.own)
            here.ledger.submit(payment)
            with pytest.raises(ApiError):
                here.ledger.submit(payment)


class TestCheckout:
    async def test_an_order_shows_once_somebody_tries_to_pay_it(self, payu: Any) -> None:
        reference = payu.reference()
        assert await payu.post_form(payu.form(reference)) == 200
        assert await payu.query(referenceCode=reference) is None
        await payu.twin.decline(reference)
        [order] = await payu.query(referenceCode=reference)
        assert (order["status"], order["transactions"][0]["transactionResponse"]["state"]) == ("DECLINED", "DECLINED")

    async def test_coming_twice_is_one_order(self, payu: Any) -> None:
        reference = payu.reference()
        for _ in range(2):
            assert await payu.post_form(payu.form(reference)) == 200
        assert len(await payu.twin.payments(reference)) == 1

    @pytest.mark.parametrize(
        "changes",
        [
            {"amount": "20001"},
            {"currency": "USD"},
            {"merchantId": "1"},
            {"signature": "0" * 32},
            {"buyerEmail": "nobody"},
            {"paymentMethods": "VISA"},
            {"referenceCode": ""},
            {"tax": "x"},
            {"algorithmSignature": "SHA256"},
        ],
    )
    async def test_a_form_that_is_not_right_is_refused(self, payu: Any, changes: dict[str, str]) -> None:
        assert await payu.post_form(payu.form(payu.reference()) | changes) == 400

    async def test_methods_are_signed_too(self, payu: Any) -> None:
        reference = payu.reference()
        signature = payu.sign(reference, "20000", "COP", "VISA,PSE")
        assert await payu.post_form(payu.form(reference, paymentMethods="VISA,PSE", signature=signature)) == 200

    async def test_the_end_is_the_end_unless_forced(self, payu: Any) -> None:
        reference = payu.reference()
        await payu.post_form(payu.form(reference))
        await payu.twin.decline(reference)
        for act in (payu.twin.pay, payu.twin.decline, payu.twin.expire):
            with pytest.raises(ControlRefused):
                await act(reference)
        await payu.twin.pay(reference, force=True)
        [order] = await payu.query(referenceCode=reference)
        states = [entry["transactionResponse"]["state"] for entry in order["transactions"]]
        assert states == ["APPROVED", "DECLINED"]


class TestRefunds:
    async def test_one_under_review_shows_nowhere(self, payu: Any) -> None:
        order = await payu.paid_by_card()
        response = (await payu.submit(payu.refund_of(order)))["transactionResponse"]
        assert (response["state"], response["pendingReason"]) == ("PENDING", "PENDING_REVIEW")
        assert (response["orderId"], response["transactionId"]) == (order["id"], None)
        assert await payu.query(orderId=order["id"]) == order
        assert (await payu.submit(payu.refund_of(order)))["error"] == "Solicitud ya en proceso"
        assert (await payu.twin.journal(order["referenceCode"]))["refunds"] == 1

    @pytest.mark.parametrize(
        ("approved", "status", "state"), [(True, "REFUNDED", "APPROVED"), (False, "CAPTURED", "DECLINED")]
    )
    async def test_how_it_is_decided(self, payu: Any, approved: bool, status: str, state: str) -> None:
        order = await payu.paid_by_card()
        await payu.submit(payu.refund_of(order))
        await payu.twin.settle_refunds(order["referenceCode"], approved=approved)
        after = await payu.query(orderId=order["id"])
        first = after["transactions"][0]
        assert (after["status"], first["type"], first["transactionResponse"]["state"]) == (status, "REFUND", state)
        again = await payu.submit(payu.refund_of(order))
        assert again["code"] == ("ERROR" if approved else "SUCCESS")

    async def test_parts_never_exceed_the_payment(self, payu: Any) -> None:
        order = await payu.paid_by_card("20000")
        reference = order["referenceCode"]
        for value, code in (
            ("99", "ERROR"),
            ("15000", "SUCCESS"),
            ("5001", "ERROR"),
            ("5000", "SUCCESS"),
            ("100", "ERROR"),
        ):
            assert (await payu.submit(payu.refund_of(order, value)))["code"] == code
            await payu.twin.settle_refunds(reference)
        assert (await payu.twin.journal(reference))["refunded_amount"] == 2_000_000
        assert (await payu.query(orderId=order["id"]))["status"] == "REFUNDED"

    async def test_pse_is_declined(self, payu: Any) -> None:
        reference = payu.reference()
        await payu.submit(payu.payment(reference))
        await payu.twin.pay(reference)
        [order] = await payu.query(referenceCode=reference)
        answer = await payu.submit(payu.refund_of(order))
        assert (answer["code"], answer["transactionResponse"]["state"]) == ("SUCCESS", "DECLINED")
        assert (await payu.twin.journal(reference))["refunds"] == 0

    async def test_a_fault_turns_it_down(self, payu: Any) -> None:
        order = await payu.paid_by_card()
        await payu.twin.fault("refund_declined", reference=order["referenceCode"])
        await payu.submit(payu.refund_of(order))
        await payu.twin.settle_refunds(order["referenceCode"])
        assert (await payu.query(orderId=order["id"]))["status"] == "CAPTURED"

    def test_it_is_decided_in_its_time(self, alone: Any, words: Any) -> None:
        with alone(refund_seconds=60, min_refund_age_seconds=600) as here:
            order = here.ledger.open_checkout(requests.read_checkout(words.form("R1"), here.own))
            id = str(order["id"])
            paid = here.ledger.pay(id)["transactions"][0]
            refund = requests.read(
                requests.Refund,
                {"order": {"id": id}, "type": "REFUND", "parentTransactionId": paid["id"], "reason": "x"},
            )
            with pytest.raises(ApiError):
                here.ledger.refund(refund)
            here.now += 600
            here.ledger.refund(refund)
            here.now += 59
            assert here.ledger.expire_due() == 0
            here.now += 1
            assert (here.ledger.expire_due(), here.ledger.expire_due()) == (1, 0)
            assert here.ledger.get(id)["status"] == "REFUNDED"

    def test_a_bank_does_not_wait_for_ever(self, alone: Any, words: Any) -> None:
        with alone() as here:
            order = here.ledger.submit(requests.read_payment(words.payment("R1"), here.own))
            here.now += 1800
            assert (here.ledger.expire_due(), here.ledger.expire_due()) == (1, 0)
            [(_, entry)] = here.emitted
            assert entry["state"] == here.ledger.get(str(order["id"]))["transactions"][0]["state"] == "EXPIRED"
