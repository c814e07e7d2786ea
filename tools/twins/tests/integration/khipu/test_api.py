from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from twins.faults import Fault, FaultKind, FaultPlan
from twins.khipu import requests, shapes
from twins.khipu.errors import ApiError
from twins.khipu.ledger import Ledger
from twins.khipu.settings import KhipuTwinSettings
from twins.store import Store
from twins.testing import ControlRefused, ProviderTwin, running_twins

Reach = Callable[[ProviderTwin], Any]


def make_payment(ledger: Ledger) -> str:
    request = requests.Payment.model_validate({"amount": 15050, "currency": "CLP", "subject": "Café"})
    return str(ledger.create(request, receiver_id=990939)["payment_id"])


def make_ledger(now: list[float], **settings: Any) -> tuple[Ledger, list[dict[str, Any]], FaultPlan]:
    told: list[dict[str, Any]] = []
    faults = FaultPlan()
    own = KhipuTwinSettings(**settings)
    return Ledger(Store(), told.append, faults, own, "http://x", 1.0, now=lambda: now[0]), told, faults


class TestAdmission:
    @pytest.mark.parametrize("key", [None, "", "wrong"])
    async def test_a_call_without_the_key_is_refused(self, khipu: Any, key: str | None) -> None:
        status, error = await khipu("GET", "/banks", **{"x-api-key": key})
        assert (status, error["status"]) == (401, 401)

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xff", b"[" * 50_000])
    async def test_what_is_no_payment_is_refused(self, khipu: Any, body: bytes) -> None:
        status, error = await khipu("POST", "/payments", body, **{"Content-Type": "application/json"})
        assert (status, error["errors"][0]["field"]) == (400, "body")

    async def test_it_must_be_json(self, khipu: Any) -> None:
        status, error = await khipu("POST", "/payments", b"amount=1", **{"Content-Type": "text/plain"})
        assert (status, error["errors"][0]["field"]) == (400, "Content-Type")


class TestCreate:
    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"amount": None}, "amount"),
            ({"amount": 0}, "amount"),
            ({"amount": -1}, "amount"),
            ({"amount": True}, "amount"),
            ({"amount": 10.5}, "amount"),
            ({"amount": "1.000,0"}, "amount"),
            ({"currency": None}, "currency"),
            ({"currency": "BRL"}, "currency"),
            ({"subject": None}, "subject"),
            ({"subject": ""}, "subject"),
            ({"subject": "x" * 256}, "subject"),
            ({"transaction_id": "x" * 256}, "transaction_id"),
            ({"notify_url": "ftp://x"}, "notify_url"),
            ({"return_url": "https://" + "x" * 1024}, "return_url"),
            ({"notify_api_version": "9"}, "notify_api_version"),
            ({"expires_date": "2020-01-01T00:00:00Z"}, "expires_date"),
            ({"expires_date": "2999-01-01T00:00:00"}, "expires_date"),
            ({"send_email": True, "payer_name": "Ana"}, "payer_email"),
        ],
    )
    async def test_what_khipu_refuses(self, khipu: Any, changes: dict[str, Any], field: str) -> None:
        status, error = await khipu("POST", "/payments", khipu.body(**changes))
        assert (status, error["status"], error["errors"][0]["field"]) == (400, 400, field)
        assert error["message"].startswith(f"{field}: ")

    @pytest.mark.parametrize(
        ("amount", "currency", "shown"),
        [(1000, "CLP", 1000), ("1000.0000", "CLP", 1000), (1000.0, "CLP", 1000), ("2.5001", "CLF", 2.5001)],
    )
    async def test_amounts_are_numbers_or_text(self, khipu: Any, amount: Any, currency: str, shown: Any) -> None:
        payment_id = await khipu.payment(amount=amount, currency=currency)
        assert (await khipu("GET", f"/payments/{payment_id}"))[1]["amount"] == shown

    async def test_a_reference_may_be_used_again(self, twin: ProviderTwin, khipu: Any) -> None:
        ids = {await khipu.payment(transaction_id="twice") for _ in range(2)}
        assert len(ids) == 2
        assert {payment["payment_id"] for payment in await twin.payments("twice")} == ids

    async def test_methods_are_those_of_the_account(self, khipu: Any) -> None:
        status, answer = await khipu("GET", f"/merchants/{990939}/paymentMethods")
        assert (status, len(answer["paymentMethods"])) == (200, 2)
        assert (await khipu("GET", "/merchants/1/paymentMethods"))[0] == 404


class TestLife:
    async def test_a_payment_is_counted_once(self, twin: ProviderTwin, khipu: Any) -> None:
        payment_id = await khipu.payment()
        await twin.pay(payment_id)
        with pytest.raises(ControlRefused) as caught:
            await twin.pay(payment_id)
        assert caught.value.status == 400
        journal = await twin.journal(payment_id)
        assert (journal["payments"], journal["charges"], journal["charged_amount"]) == (1, 1, 15050)

    async def test_an_expired_payment_says_nothing_of_it(self, twin: ProviderTwin, khipu: Any) -> None:
        payment_id = await khipu.payment()
        await twin.expire(payment_id)
        _, payment = await khipu("GET", f"/payments/{payment_id}")
        assert (payment["status"], payment["status_detail"]) == ("pending", "pending")
        assert datetime.fromisoformat(payment["expires_date"]) < datetime.now(UTC) - timedelta(hours=3)
        with pytest.raises(ControlRefused):
            await twin.pay(payment_id)
        assert (await twin.pay(payment_id, force=True))["out_of_date_conciliation"] is True

    async def test_only_pending_payments_are_deleted(self, twin: ProviderTwin, khipu: Any) -> None:
        payment_id = await khipu.payment()
        assert (await khipu("DELETE", f"/payments/{payment_id}"))[0] == 200
        assert (await khipu("DELETE", f"/payments/{payment_id}"))[0] == 400
        paid = await khipu.payment()
        await twin.pay(paid)
        assert (await khipu("DELETE", f"/payments/{paid}"))[0] == 400
        assert (await khipu("DELETE", "/payments/unknown"))[0] == 404

    def test_what_is_paid_is_verified_first(self) -> None:
        now = [1_000_000.0]
        ledger, told, _ = make_ledger(now, conciliation_seconds=60)
        payment_id = make_payment(ledger)
        assert ledger.pay(payment_id)["status"] == "verifying"
        with pytest.raises(ApiError):
            ledger.delete(payment_id)
        now[0] += 59
        assert (ledger.expire_due(), told) == (0, [])
        now[0] += 1
        assert ledger.expire_due() == 1
        assert [payment["status"] for payment in told] == ["done"]
        assert ledger.expire_due() == 0

    def test_a_verification_can_be_hastened(self) -> None:
        ledger, told, _ = make_ledger([1_000_000.0], conciliation_seconds=60)
        payment_id = make_payment(ledger)
        ledger.pay(payment_id)
        assert ledger.pay(payment_id)["status"] == "done"
        assert (len(told), ledger.expire_due()) == (1, 0)


class TestRefunds:
    async def test_they_never_exceed_the_payment(self, twin: ProviderTwin, khipu: Any) -> None:
        payment_id = await khipu.payment()
        body = {"type": "partial", "payment_id": payment_id, "amount": "6000"}
        assert (await khipu("POST", "/refunds", body))[0] == 400
        await twin.pay(payment_id)
        answers = await asyncio.gather(*(khipu("POST", "/refunds", body) for _ in range(5)))
        assert sorted(status for status, _ in answers) == [200, 200, 400, 400, 400]
        status, answer = await khipu("POST", "/refunds", {"type": "full", "payment_id": payment_id})
        assert (status, answer["refunded_amount"], answer["remaining"]) == (200, "3050.0000", "0.0000")
        assert (await twin.journal(payment_id))["refunded_amount"] == 15050
        _, payment = await khipu("GET", f"/payments/{payment_id}")
        assert (payment["status_detail"], payment["total_refunded"]) == ("fully-refunded", "15050.0000")

    @pytest.mark.parametrize(
        ("changes", "status"),
        [
            ({"type": "full", "amount": "100"}, 400),
            ({"type": "partial"}, 400),
            ({"type": "partial", "amount": "0"}, 400),
            ({"type": "partial", "amount": "0.5"}, 400),
            ({"type": "some"}, 400),
            ({"type": "full", "payment_id": "unknown"}, 404),
            ({"type": "full", "payment_id": None}, 400),
        ],
    )
    async def test_what_khipu_refuses(
        self, twin: ProviderTwin, khipu: Any, changes: dict[str, Any], status: int
    ) -> None:
        payment_id = await khipu.payment()
        await twin.pay(payment_id)
        assert (await khipu("POST", "/refunds", {"payment_id": payment_id, **changes}))[0] == status
        assert (await twin.journal(payment_id))["refunds"] == 0

    async def test_the_documented_endpoint_does_the_same(self, twin: ProviderTwin, khipu: Any) -> None:
        payment_id = await khipu.payment()
        await twin.pay(payment_id)
        for body, total in (({"amount": 1000}, 1000), ({}, 15050)):
            status, answer = await khipu("POST", f"/payments/{payment_id}/refunds", body)
            assert (status, list(answer)) == (200, ["message"])
            assert (await twin.journal(payment_id))["refunded_amount"] == total
        assert (await khipu("POST", f"/payments/{payment_id}/refunds", {}))[0] == 400

    def test_they_go_their_way_by_themselves(self) -> None:
        now = [1_000_000.0]
        ledger, _, faults = make_ledger(now, refund_seconds=60)
        payment_id = make_payment(ledger)
        ledger.pay(payment_id)
        faults.arm(Fault(kind=FaultKind.REFUND_DECLINED, reference=payment_id))
        ledger.refund(payment_id, None)
        seen = []
        for _ in range(3):
            payment = ledger.get(payment_id)
            seen.append((payment["refunds"][0]["status"], payment["status_detail"]))
            now[0] += 30
            ledger.expire_due()
        assert seen == [("pending", "fully-refunded"), ("authorized", "fully-refunded"), ("expired", "normal")]
        ledger.refund(payment_id, None)
        now[0] += 60
        ledger.expire_due()
        assert [refund["status"] for refund in ledger.get(payment_id)["refunds"]] == ["expired", "paid"]
        assert ledger.expire_due() == 0

    def test_a_payment_that_lists_none_says_at_most_that_it_is_reversed(self) -> None:
        ledger, _, _ = make_ledger([1_000_000.0])
        payment_id = make_payment(ledger)
        ledger.pay(payment_id)
        ledger.refund(payment_id, None)
        for detail, approve in (("normal", False), ("reversed", True)):
            if approve:
                ledger.settle_refunds(payment_id, approved=True)
            shown = shapes.shown(ledger.get(payment_id), amounts="text", list_refunds=False)
            assert (shown["status_detail"], shown["amount"]) == (detail, "15050.0000")
            assert not {"refunds", "total_refunded"} & set(shown)


class TestFaults:
    @pytest.mark.parametrize(
        ("kind", "status", "payments"),
        [("http_500", 500, 0), ("http_500_after_charging", 500, 1), ("http_429", 429, 0)],
    )
    async def test_errors(self, twin: ProviderTwin, khipu: Any, kind: str, status: int, payments: int) -> None:
        await twin.fault(kind, reference=kind)
        answered, error = await khipu("POST", "/payments", khipu.body(transaction_id=kind))
        assert (answered, error["status"]) == (status, status)
        journal = await twin.journal(kind)
        assert journal["payments"] == payments
        assert [(call["operation"], call["status"], call["fault"]) for call in journal["calls"]] == [
            ("payments.create", status, kind)
        ]

    @pytest.mark.parametrize("amounts", ["number", "text"])
    async def test_readings_are_distorted(self, amounts: Any, reach: Reach) -> None:
        async with running_twins(khipu=KhipuTwinSettings(amounts=amounts)) as twins:
            twin = twins.provider("khipu")
            khipu = reach(twin)
            payment_id = await khipu.payment()
            await twin.fault("unlisted_status", reference=payment_id)
            await twin.fault("wrong_amount_read", reference=payment_id)
            readings = [(await khipu("GET", f"/payments/{payment_id}"))[1] for _ in range(3)]
        assert [reading["status"] for reading in readings] == ["in_orbit", "pending", "pending"]
        wrong, right = (15150, 15050) if amounts == "number" else ("15150.0000", "15050.0000")
        assert [reading["amount"] for reading in readings] == [right, wrong, right]


class TestPages:
    async def test_a_person_pays_with_the_button(
        self, twin: ProviderTwin, khipu: Any, http: aiohttp.ClientSession
    ) -> None:
        payment_id = await khipu.payment(
            subject="<script>x</script>", amount=1234567, return_url="https://shop.example/gracias"
        )
        _, payment = await khipu("GET", f"/payments/{payment_id}")
        for address in ("payment_url", "simplified_transfer_url", "transfer_url"):
            async with http.get(payment[address]) as answer:
                page = await answer.text()
            assert "$ 1.234.567 CLP" in page
            assert "<script>" not in page
            for label in ("Pagar", "Rechazar", "Dejar vencer"):
                assert label in page
        async with http.post(f"{payment['payment_url']}/pay") as answer:
            page = await answer.text()
        assert "Pagado" in page
        assert "https://shop.example/gracias" in page
        assert (await khipu("GET", f"/payments/{payment_id}"))[1]["status"] == "done"

    @pytest.mark.parametrize(("action", "word"), [("decline", "Declined"), ("expire", "Expired")])
    async def test_or_does_not(
        self, khipu: Any, http: aiohttp.ClientSession, twin: ProviderTwin, action: str, word: str
    ) -> None:
        payment_id = await khipu.payment()
        async with http.post(f"{twin.api_url}/payment/info/{payment_id}/{action}?lang=en") as answer:
            assert word in await answer.text()

    @pytest.mark.parametrize("path", ["/payment/info/none", "/payment/simplified/none"])
    async def test_what_does_not_exist_is_a_clear_404(
        self, twin: ProviderTwin, http: aiohttp.ClientSession, path: str
    ) -> None:
        async with http.get(twin.api_url + path) as answer:
            assert answer.status == 404
