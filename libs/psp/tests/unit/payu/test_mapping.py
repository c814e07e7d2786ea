from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from chassis.strict_json import strict_json
from hypothesis import given
from hypothesis import strategies as st
from kernel import FixedClock, Money, MoneyError
from psp.colombia.payu import mapping, wire
from psp.colombia.payu.adapter import PayuAdapter
from psp.colombia.payu.mapping import Form
from psp.colombia.payu.settings import PayuSettings
from psp.provider import (
    BuyerDevice,
    Customer,
    FailureReason,
    IdentityDocument,
    IntentRequest,
    OutcomeUnknown,
    PayByTransfer,
    PaymentMethod,
    PaymentNotFound,
    ProviderNotConfigured,
    ProviderRejected,
    ProviderStatus,
    ProviderUnavailable,
    RefundRequest,
    RefundStatus,
)

NOW = datetime(2026, 1, 15, 18, 0, tzinfo=UTC)
REFERENCE = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
PAGE = "https://cobro.example/p/1?x=a:b"
API_KEY = "4Vj8eK4rloUd272L48hsrarnUA"
SETTINGS = PayuSettings(api_key=API_KEY, api_login="pRRXKOl8ikMmt9u", merchant_id="508029", account_id="512321")  # type: ignore[arg-type]
CHARGE = "AUTHORIZATION_AND_CAPTURE"
Sample = Callable[[str], bytes]


def make_request(**changes: Any) -> IntentRequest:
    values: dict[str, Any] = {
        "reference": REFERENCE,
        "amount": Money.of("65000", "COP"),
        "method": PaymentMethod.PAYMENT_LINK,
        "description": "Dos cafés",
        "expires_at": NOW + timedelta(minutes=30),
        "page_url": PAGE,
    }
    return IntentRequest(**values | changes)


def make_transfer(**changes: Any) -> IntentRequest:
    values: dict[str, Any] = {
        "method": PaymentMethod.BANK_TRANSFER,
        "bank": "1022",
        "customer": Customer("Ana Ruiz", "ana@example.com", "+573001234567", IdentityDocument("cc", "123456789")),
        "device": BuyerDevice("127.0.0.1", "Mozilla/5.0", "vghs6tvkcle931686k1900o6e1", "pt1t38347bs6jc9ruv2ecpv7o2"),
    }
    return make_request(**values | changes)


def make_transaction(
    state: str, type: str = CHARGE, value: str | None = "65000", method: str = "VISA"
) -> dict[str, Any]:
    amount = {"additionalValues": {"TX_VALUE": {"value": value, "currency": "COP"}}} if value else {}
    response = {"state": state, "operationDate": 1_768_500_000_000, "responseCode": f"CODE_{state}"}
    return {"id": f"{type}-{state}", "type": type, "paymentMethod": method, "transactionResponse": response, **amount}


def make_order(*transactions: dict[str, Any], **changes: Any) -> wire.Order:
    """transactions: newest first."""
    values: dict[str, Any] = {
        "id": 1400449959,
        "accountId": 512321,
        "referenceCode": str(REFERENCE),
        "isTest": False,
        "transactions": list(transactions),
        "additionalValues": {"TX_VALUE": {"value": "65000", "currency": "COP"}},
    }
    return wire.Order.model_validate(values | changes)


class TestSamples:
    def test_a_pse_payment(self, sample: Sample) -> None:
        """PU-DOC, answer to SUBMIT_TRANSACTION of PSE."""
        answer = wire.Submitted.model_validate(strict_json(sample("pse_pending")))
        assert answer.response is not None
        assert (answer.response.order_id, answer.response.state) == (1400449959, "PENDING")
        assert (
            mapping.bank_url(answer.response) == "https://sandbox.api.payulatam.com/payments-api/pse-caller?enc=aHR0cHM"
        )

    def test_an_order(self, sample: Sample) -> None:
        """PU-DOC, answer to ORDER_DETAIL."""
        found = wire.Found.model_validate(strict_json(sample("order_captured")))
        assert found.result is not None
        [order] = found.result.payload
        payment = mapping.fetched(order, SETTINGS)
        assert (payment.provider_ref, payment.status) == ("857695047", ProviderStatus.CONFIRMED)
        assert payment.our_reference == "PRODUCT_TEST_2021-05-03T18:01:10.946Z"
        assert (payment.amount, payment.live, payment.account) == (Money.of("100", "COP"), False, "512321")
        assert payment.paid_at == datetime(2021, 5, 3, 18, 1, 10, tzinfo=UTC)

    def test_a_refund_has_no_id(self, sample: Sample) -> None:
        """PU-DOC, answer to SUBMIT_TRANSACTION of a REFUND."""
        answer = wire.Submitted.model_validate(strict_json(sample("refund_pending")))
        assert answer.response is not None
        assert (answer.response.transaction_id, answer.response.pending_reason) == (None, "PENDING_REVIEW")

    @pytest.mark.parametrize(
        ("payload", "count"), [(b'{"id": 1}', 1), (b'[{"id": 1}, {"id": 2}]', 2), (b"[]", 0), (b"null", 0)]
    )
    def test_one_order_a_list_or_nothing(self, payload: bytes, count: int) -> None:
        body = b'{"code": "SUCCESS", "result": {"payload": ' + payload + b"}}"
        found = wire.Found.model_validate(strict_json(body))
        assert found.result is not None
        assert len(found.result.payload) == count


class TestForm:
    def test_the_fields(self) -> None:
        """PU-DOC, payment form; the mandatory ones, and zero tax as PayU wants it where it is to add none."""
        form = mapping.checkout_form(make_request(), SETTINGS, API_KEY, NOW)
        assert form.action == "https://checkout.payulatam.com/ppp-web-gateway-payu/"
        assert form.fields == {
            "merchantId": "508029",
            "accountId": "512321",
            "description": "Dos cafés",
            "referenceCode": str(REFERENCE),
            "amount": "65000",
            "tax": "0",
            "taxReturnBase": "0",
            "currency": "COP",
            "signature": mapping.signature(
                API_KEY, ["508029", str(REFERENCE), "65000", "COP"], SETTINGS.signature_digest
            ),
            "algorithmSignature": "MD5",
            "test": "0",
            "lng": "es",
            "buyerEmail": "consumidor.final@example.com",
            "buyerFullName": "Consumidor final",
            "telephone": "6010000000",
            # Bogotá's time.
            "expirationDate": "2026-01-15 13:30:00",
        }

    @given(
        st.sampled_from([PaymentMethod.QR_DYNAMIC, PaymentMethod.PAYMENT_LINK]),
        st.integers(1, 10**14),
        st.integers(0, 4_000_000_000),
    )
    def test_a_reference_tells_all_there_is_to_know(self, method: PaymentMethod, minor: int, epoch: int) -> None:
        request = make_request(
            method=method,
            amount=Money(minor, Money.of(1, "COP").currency),
            expires_at=datetime.fromtimestamp(epoch, UTC),
        )
        form = Form.of(request)
        assert Form.read(form.provider_ref) == form
        assert (form.reference, form.amount, form.page_url) == (str(REFERENCE), request.amount, PAGE)

    @pytest.mark.parametrize("page_url", ["", "ftp://x", "javascript:alert(1)", "/p/1", "https://x/" + "y" * 1024])
    def test_a_page_that_is_none_is_refused(self, page_url: str) -> None:
        with pytest.raises(ProviderRejected) as caught:
            Form.of(make_request(page_url=page_url))
        assert caught.value.param == "page_url"

    @given(st.text(max_size=80))
    def test_other_references_are_none(self, text: str) -> None:
        for reference in (text, f"form:{text}"):
            with pytest.raises(ValueError, match="form"):
                Form.read(reference)


class TestTransfer:
    def test_the_transaction(self) -> None:
        """PU-DOC, SUBMIT_TRANSACTION of PSE."""
        settings = SETTINGS.model_copy(update={"notify_url": "https://cobro.example/webhooks/payu"})
        body = mapping.transfer_body(make_transfer(), settings, API_KEY)
        order = body["order"]
        assert order["additionalValues"]["TX_VALUE"] == {"value": 65000, "currency": "COP"}
        assert order["signature"] == mapping.signature(
            API_KEY, ["508029", str(REFERENCE), "65000", "COP"], SETTINGS.signature_digest
        )
        assert (order["referenceCode"], order["notifyUrl"]) == (str(REFERENCE), settings.notify_url)
        assert body["extraParameters"] == {
            "RESPONSE_URL": PAGE,
            "PSE_REFERENCE1": "127.0.0.1",
            "FINANCIAL_INSTITUTION_CODE": "1022",
            "USER_TYPE": "N",
            "PSE_REFERENCE2": "CC",
            "PSE_REFERENCE3": "123456789",
        }
        assert (body["type"], body["paymentMethod"], body["paymentCountry"]) == (CHARGE, "PSE", "CO")
        assert b'"value": 65000,' in json.dumps(body).encode()

    def test_a_company(self) -> None:
        customer = Customer("Café SAS", "a@b.co", "+571", IdentityDocument("NIT", "900123456"), is_company=True)
        body = mapping.transfer_body(make_transfer(customer=customer), SETTINGS, API_KEY)
        assert (body["extraParameters"]["USER_TYPE"], body["extraParameters"]["PSE_REFERENCE2"]) == ("J", "NIT")

    def test_decimals_are_no_pse_amount(self) -> None:
        with pytest.raises(MoneyError):
            mapping.transfer_body(make_transfer(amount=Money.of("0.50", "COP")), SETTINGS, API_KEY)

    def test_without_a_way_back_there_is_none(self) -> None:
        with pytest.raises(ProviderNotConfigured):
            mapping.transfer_body(make_transfer(page_url=None), SETTINGS, API_KEY)


class TestAmounts:
    @given(st.integers(1, 10**15))
    def test_there_and_back(self, minor: int) -> None:
        amount = Money(minor, Money.of(1, "COP").currency)
        text = mapping.amount_text(amount)
        assert Money.of(text, "COP") == amount
        assert not text.endswith(".")
        assert ("." in text) == (minor % 100 != 0)
        order = make_order(additionalValues={"TX_VALUE": {"value": text, "currency": "COP"}})
        assert mapping.fetched(order, SETTINGS).amount == amount

    @pytest.mark.parametrize("text", [b"65000", b"65000.0", b"65000.00", b'"65000"'])
    def test_numbers_and_text_are_read(self, text: bytes) -> None:
        body = b'{"id": 1, "additionalValues": {"TX_VALUE": {"value": ' + text + b', "currency": "COP"}}}'
        order = wire.Order.model_validate(strict_json(body))
        assert mapping.fetched(order, SETTINGS).amount == Money.of("65000", "COP")

    @pytest.mark.parametrize("changes", [{"additionalValues": None}, {"additionalValues": {}}])
    def test_an_order_without_an_amount_is_unreadable(self, changes: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="amount"):
            mapping.fetched(make_order(**changes), SETTINGS)


class TestStatus:
    @pytest.mark.parametrize(
        ("order_status", "states", "status", "reason"),
        [
            ("NEW", [], ProviderStatus.PENDING, None),
            (None, [], ProviderStatus.PENDING, None),
            ("IN_PROGRESS", ["PENDING"], ProviderStatus.PENDING, None),
            ("CAPTURED", ["APPROVED"], ProviderStatus.CONFIRMED, None),
            (None, ["APPROVED"], ProviderStatus.CONFIRMED, None),
            ("CAPTURED", ["APPROVED", "DECLINED"], ProviderStatus.CONFIRMED, None),
            # "When query an order, the system returns the last transaction": then the charge may not show.
            ("CAPTURED", [], ProviderStatus.CONFIRMED, None),
            ("REFUNDED", ["APPROVED"], ProviderStatus.REFUNDED, None),
            ("DECLINED", ["DECLINED"], ProviderStatus.FAILED, FailureReason.DECLINED),
            ("DECLINED", ["ERROR"], ProviderStatus.FAILED, FailureReason.DECLINED),
            ("DECLINED", ["EXPIRED"], ProviderStatus.FAILED, FailureReason.EXPIRED),
            ("IN_PROGRESS", ["PENDING", "DECLINED"], ProviderStatus.PENDING, None),
            ("IN_PROGRESS", ["DECLINED", "PENDING"], ProviderStatus.PENDING, None),
            ("DECLINED", ["EXPIRED", "DECLINED"], ProviderStatus.FAILED, FailureReason.EXPIRED),
        ],
    )
    def test_table(
        self, order_status: str | None, states: list[str], status: ProviderStatus, reason: FailureReason | None
    ) -> None:
        order = make_order(*map(make_transaction, states), status=order_status)
        payment = mapping.fetched(order, SETTINGS)
        assert (payment.status, payment.failure_reason, payment.unlisted) == (status, reason, False)
        if reason is not None:
            assert payment.failure_detail == f"CODE_{states[0]}"

    @given(st.text(max_size=20).filter(lambda word: word not in mapping.STATES))
    def test_another_state_is_pending_and_unlisted(self, state: str) -> None:
        payment = mapping.fetched(make_order(make_transaction(state)), SETTINGS)
        assert (payment.status, payment.unlisted) == (ProviderStatus.PENDING, True)

    @given(st.text(max_size=20).filter(lambda word: word not in ("CAPTURED", "REFUNDED")))
    def test_an_approved_payment_of_an_order_in_another_status_proves_nothing(self, status: str) -> None:
        payment = mapping.fetched(make_order(make_transaction("APPROVED"), status=status), SETTINGS)
        assert (payment.status, payment.unlisted) == (ProviderStatus.PENDING, True)

    def test_where_the_bank_waits_is_told_while_it_does(self) -> None:
        entry = make_transaction("PENDING", method="PSE")
        entry["transactionResponse"]["extraParameters"] = {"BANK_URL": "https://bank.example/x"}
        assert mapping.fetched(make_order(entry), SETTINGS).instructions == PayByTransfer(url="https://bank.example/x")
        entry["transactionResponse"]["extraParameters"] = {"BANK_URL": "javascript:alert(1)"}
        assert mapping.fetched(make_order(entry), SETTINGS).instructions is None


class TestRefunds:
    def test_in_their_order(self) -> None:
        order = make_order(
            make_transaction("APPROVED", "PARTIAL_REFUND", "1000.50"),
            make_transaction("DECLINED", "PARTIAL_REFUND", "2000"),
            make_transaction("APPROVED"),
            status="CAPTURED",
        )
        payment = mapping.fetched(order, SETTINGS)
        assert payment.status is ProviderStatus.PARTIALLY_REFUNDED
        assert payment.refunded == Money.of("1000.50", "COP")
        assert [(entry.refund_ref, entry.status) for entry in payment.refunds] == [
            ("1.200000", RefundStatus.FAILED),
            ("2.100050", RefundStatus.SUCCEEDED),
        ]

    def test_what_is_refunded_as_a_whole(self) -> None:
        """PU-DOC: approved is REFUNDED, with the refund as the first transaction."""
        entries = (make_transaction("APPROVED", "REFUND", None), make_transaction("APPROVED"))
        payment = mapping.fetched(make_order(*entries, status="REFUNDED"), SETTINGS)
        assert (payment.status, payment.refunded) == (ProviderStatus.REFUNDED, payment.amount)
        [refund] = payment.refunds
        assert (refund.amount, refund.status) == (payment.amount, RefundStatus.SUCCEEDED)

    def test_parts_that_make_up_the_whole(self) -> None:
        parts = [make_transaction("APPROVED", "PARTIAL_REFUND", "32500") for _ in range(2)]
        payment = mapping.fetched(make_order(*parts, make_transaction("APPROVED"), status="CAPTURED"), SETTINGS)
        assert payment.status is ProviderStatus.REFUNDED

    def test_the_request(self) -> None:
        """PU-DOC: a partial one carries its value as text."""
        order = make_order(make_transaction("APPROVED"))
        charge = mapping.paid_charge(order)
        assert charge is not None
        request = RefundRequest(REFERENCE, "1400449959", Money.of("950", "COP"), "No llegó")
        body = mapping.refund_body(request, order, charge, whole=False)
        assert body == {
            "order": {"id": "1400449959"},
            "type": "PARTIAL_REFUND",
            "reason": "No llegó",
            "parentTransactionId": charge.id,
            "additionalValues": {"TX_VALUE": {"value": "950", "currency": "COP"}},
        }
        whole = mapping.refund_body(request, order, charge, whole=True)
        assert (whole["type"], "additionalValues" in whole) == ("REFUND", False)

    @given(st.integers(1, 9999), st.integers(1, 10**14))
    def test_references_there_and_back(self, position: int, minor: int) -> None:
        amount = Money(minor, Money.of(1, "COP").currency)
        assert mapping.read_refund_ref(mapping.refund_ref(position, amount)) == (position, amount)

    @pytest.mark.parametrize("text", ["", "1", "0.100", "1.0", "1.", "a.b", "1.100.2", "١.١", "-1.5", "1.5 "])
    def test_other_references_are_none(self, text: str) -> None:
        assert mapping.read_refund_ref(text) is None


class TestFailures:
    """PU-DOC gives the form {"code":"ERROR","error":"…"} and neither its HTTP status nor a list of texts."""

    @pytest.mark.parametrize(
        ("status", "text", "write", "kind"),
        [
            (200, "Invalid credentials", True, ProviderNotConfigured),
            (200, "Credenciales inválidas", False, ProviderNotConfigured),
            (401, None, False, ProviderNotConfigured),
            (200, "La orden no existe", False, PaymentNotFound),
            (200, "El banco no existe", True, ProviderRejected),
            (200, "property: amount, message: must not be null", True, ProviderRejected),
            (400, "property: amount, message: must not be null", True, ProviderRejected),
            (200, "algo", False, ProviderUnavailable),
            (200, None, True, OutcomeUnknown),
            (302, "x", True, OutcomeUnknown),
            (408, "x", True, OutcomeUnknown),
            (500, "x", True, OutcomeUnknown),
            (503, None, False, ProviderUnavailable),
            (429, None, True, ProviderUnavailable),
        ],
    )
    def test_table(self, status: int, text: str | None, write: bool, kind: type[Exception]) -> None:
        answer = None if text is None else wire.Answer(code="ERROR", error=text)
        error = mapping.failure(status, answer, write=write)
        assert type(error) is kind
        assert text is None or text not in str(error)

    def test_a_refund_under_way(self) -> None:
        """The text a refund asked for twice has been seen to meet."""
        error = mapping.failure(200, wire.Answer(code="ERROR", error="Solicitud ya en proceso"), write=True)
        assert isinstance(error, ProviderRejected)
        assert error.code == "request_in_progress"


class TestCredentials:
    @pytest.mark.parametrize("missing", ["api_key", "api_login", "merchant_id", "account_id"])
    async def test_all_four_are_needed(self, missing: str) -> None:
        settings = SETTINGS.model_copy(update={missing: None})
        with pytest.raises(ProviderNotConfigured) as caught:
            PayuAdapter.open(FixedClock(), settings)
        assert caught.value.code == f"{missing}_missing"

    async def test_secrets_are_in_no_representation(self) -> None:
        adapter = PayuAdapter.open(FixedClock(), SETTINGS)
        shown = repr(SETTINGS) + repr(adapter) + repr(vars(adapter)) + repr(vars(adapter._client))
        assert API_KEY not in shown
        assert "pRRXKOl8ikMmt9u" not in shown
        await adapter.close()
