from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from chassis.strict_json import strict_json
from hypothesis import given
from hypothesis import strategies as st
from kernel import Currency, Money, new_id
from psp.mexico.conekta import mapping, wire
from psp.mexico.conekta.settings import ConektaSettings
from psp.provider import (
    Customer,
    Declined,
    FailureReason,
    IntentRequest,
    OutcomeUnknown,
    PayByLink,
    PayByQr,
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

REFERENCE = "01890a5d-ac96-774b-bcce-b302099a8057"
Sample = Callable[[str], bytes]


def make_order(**changes: Any) -> wire.Order:
    return wire.Order.model_validate({"id": "ord_1", "amount": 15050, "currency": "MXN", **changes})


def make_charge(**changes: Any) -> dict[str, Any]:
    return {"id": "charge_1", "status": "paid", "amount": 15050, **changes}


def make_request(**changes: Any) -> IntentRequest:
    values: dict[str, Any] = {
        "reference": UUID(REFERENCE),
        "amount": Money.of("150.50", "MXN"),
        "method": PaymentMethod.PAYMENT_LINK,
        "description": "Dos cafés",
        "expires_at": datetime(2026, 1, 15, 18, 30, tzinfo=UTC),
    }
    return IntentRequest(**values | changes)


class TestSamples:
    def test_a_checkout_order(self, sample: Sample) -> None:
        payment = mapping.fetched(wire.Order.model_validate(strict_json(sample("order_checkout"))))
        assert payment.provider_ref == "ord_2zbhesToa1DAgNbP6"
        assert payment.our_reference == REFERENCE
        assert payment.amount == Money.of("120.00", "MXN")
        assert payment.status is ProviderStatus.PENDING
        assert payment.live is False
        url = "https://pay.conekta.com/checkout/1263626c53ae4829b0922e7393f2d1b7"
        assert payment.instructions == PayByQr(url, native=False)
        assert payment.expires_at == datetime.fromtimestamp(1772171999, UTC)

    def test_a_spei_order(self, sample: Sample) -> None:
        created = mapping.created(wire.Order.model_validate(strict_json(sample("order_spei"))))
        assert created.status is ProviderStatus.PENDING
        assert created.instructions == PayByTransfer("646180111805035472", "STP", None)
        assert created.expires_at == datetime.fromtimestamp(1686057163, UTC)

    def test_a_spei_order_is_known_by_its_charge(self, sample: Sample) -> None:
        payment = mapping.fetched(wire.Order.model_validate(strict_json(sample("order_spei"))))
        assert payment.our_reference == REFERENCE
        assert payment.live is True

    def test_a_partially_refunded_order(self, sample: Sample) -> None:
        payment = mapping.fetched(wire.Order.model_validate(strict_json(sample("order_partially_refunded"))))
        assert payment.status is ProviderStatus.PARTIALLY_REFUNDED
        assert payment.refunded == Money.of("150.00", "MXN")
        assert [(refund.refund_ref, str(refund.amount), refund.status) for refund in payment.refunds] == [
            ("6407b5bee1329a000175ba11", "150.00", RefundStatus.SUCCEEDED)
        ]
        assert payment.paid_at == datetime.fromtimestamp(1678226850, UTC)

    def test_an_error(self, sample: Sample) -> None:
        error = wire.Error.model_validate(strict_json(sample("error_parameter_validation")))
        failure = mapping.failure(422, error, write=True, retry_after=None)
        assert isinstance(failure, ProviderRejected)
        assert failure.code == "conekta.errors.parameter_validation.payment_method.token_id.nonexistent_token"
        assert failure.param == "payment_method.token_id"


class TestStatus:
    @pytest.mark.parametrize(
        ("word", "status", "reason"),
        [
            (None, ProviderStatus.PENDING, None),
            ("pending_payment", ProviderStatus.PENDING, None),
            ("pre_authorized", ProviderStatus.PENDING, None),
            ("under_fraud_review", ProviderStatus.PENDING, None),
            ("pending_confirmation", ProviderStatus.PENDING, None),
            ("paid", ProviderStatus.CONFIRMED, None),
            ("partially_refunded", ProviderStatus.PARTIALLY_REFUNDED, None),
            ("refunded", ProviderStatus.REFUNDED, None),
            ("declined", ProviderStatus.FAILED, FailureReason.DECLINED),
            ("expired", ProviderStatus.FAILED, FailureReason.EXPIRED),
            ("canceled", ProviderStatus.FAILED, FailureReason.CANCELED),
        ],
    )
    def test_the_table(self, word: str | None, status: ProviderStatus, reason: FailureReason | None) -> None:
        payment = mapping.fetched(make_order(payment_status=word))
        assert (payment.status, payment.failure_reason, payment.unlisted) == (status, reason, False)

    @given(st.text().filter(lambda word: word not in mapping.STATUSES))
    def test_any_other_word_is_pending_and_unlisted(self, word: str) -> None:
        payment = mapping.fetched(make_order(payment_status=word))
        assert (payment.status, payment.failure_reason, payment.unlisted) == (ProviderStatus.PENDING, None, True)

    @pytest.mark.parametrize("word", ["Paid", "PAID", "paid ", "", "charged_back", "voided", "fraudulent", "captured"])
    def test_near_misses_confirm_nothing(self, word: str) -> None:
        payment = mapping.fetched(make_order(payment_status=word))
        assert payment.status is ProviderStatus.PENDING
        assert payment.unlisted

    @pytest.mark.parametrize(
        ("checkout", "status", "reason"),
        [
            ("Issued", ProviderStatus.PENDING, None),
            ("Expired", ProviderStatus.FAILED, FailureReason.EXPIRED),
            ("Cancelled", ProviderStatus.FAILED, FailureReason.CANCELED),
            ("expired", ProviderStatus.PENDING, None),
            ("Whatever", ProviderStatus.PENDING, None),
        ],
    )
    def test_an_unpaid_order_ends_with_its_page(
        self, checkout: str, status: ProviderStatus, reason: FailureReason | None
    ) -> None:
        payment = mapping.fetched(make_order(payment_status=None, checkout={"id": "c", "status": checkout, "url": "u"}))
        assert (payment.status, payment.failure_reason) == (status, reason)

    def test_a_page_that_ended_does_not_undo_a_payment(self) -> None:
        payment = mapping.fetched(make_order(payment_status="paid", checkout={"id": "c", "status": "Expired"}))
        assert payment.status is ProviderStatus.CONFIRMED

    @given(st.none() | st.text())
    def test_a_refund_is_done_only_when_it_says_so(self, word: str | None) -> None:
        refund = {"id": "r", "amount": -100, "status": word}
        charge = make_charge(refunds={"data": [refund], "has_more": False})
        entry = mapping.fetched(make_order(charges={"data": [charge], "has_more": False})).refunds[0]
        assert (entry.status is RefundStatus.SUCCEEDED) == (word in (None, "refunded"))
        assert entry.unlisted == (word not in mapping.REFUND_STATUSES)


class TestAmounts:
    @given(st.integers(min_value=1, max_value=10**13))
    def test_centavos_go_out_and_come_back_unchanged(self, minor: int) -> None:
        request = make_request(amount=Money(minor, Currency.MXN))
        body = mapping.order_body(request, ConektaSettings())
        assert body["line_items"][0]["unit_price"] * body["line_items"][0]["quantity"] == minor
        assert type(body["line_items"][0]["unit_price"]) is int
        payment = mapping.fetched(make_order(amount=body["line_items"][0]["unit_price"]))
        assert payment.amount == request.amount

    @given(st.integers(min_value=1, max_value=10**13))
    def test_refunds_are_negative_there_and_positive_here(self, minor: int) -> None:
        charge = make_charge(refunds={"data": [{"id": "r", "amount": -minor}], "has_more": False})
        payment = mapping.fetched(make_order(amount=10**13, charges={"data": [charge], "has_more": False}))
        assert payment.refunds[0].amount == payment.refunded == Money(minor, Currency.MXN)

    @pytest.mark.parametrize("amount", [150.5, "15050", True, None])
    def test_an_amount_that_is_no_integer_is_not_read(self, amount: object) -> None:
        with pytest.raises(ValueError, match="amount"):
            make_order(amount=amount)

    @pytest.mark.parametrize("changes", [{"currency": "USD"}, {"currency": ""}, {"amount": 10**30}])
    def test_what_is_no_money_of_ours_is_not_translated(self, changes: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=r"currency|range"):
            mapping.fetched(make_order(**changes))

    def test_a_transfer_states_its_amount_on_the_charge_too(self) -> None:
        body = mapping.order_body(make_request(method=PaymentMethod.BANK_TRANSFER), ConektaSettings())
        assert body["charges"][0]["amount"] == 15050
        assert body["charges"][0]["reference_id"] == REFERENCE
        assert "checkout" not in body


class TestOrderBody:
    def test_a_link(self) -> None:
        body = mapping.order_body(make_request(), ConektaSettings(success_url="https://shop.example/ok"))
        assert body["checkout"] == {
            "type": "HostedPayment",
            "name": "Dos cafés",
            "allowed_payment_methods": ["card", "bank_transfer"],
            "expires_at": 1768501800,
            "success_url": "https://shop.example/ok",
        }
        assert body["metadata"]["cobro_payment_id"] == REFERENCE
        assert "charges" not in body

    def test_an_unknown_buyer_is_the_general_public(self) -> None:
        settings = ConektaSettings()
        body = mapping.order_body(make_request(customer=Customer(name="Ana")), settings)
        assert body["customer_info"] == {
            "name": "Ana",
            "email": settings.anonymous_email,
            "phone": settings.anonymous_phone,
        }

    @pytest.mark.parametrize(("text", "name"), [("   ", "Pago"), ("x" * 400, "x" * 250), (" a ", "a")])
    def test_the_description_fits(self, text: str, name: str) -> None:
        body = mapping.order_body(make_request(description=text), ConektaSettings())
        assert body["line_items"][0]["name"] == name

    def test_the_merchants_words_stay_out_of_a_refund(self) -> None:
        request = RefundRequest(new_id(), "ord_1", Money.of("1", "MXN"), reason="El señor Pérez lo devolvió")
        assert mapping.refund_body(request) == {"amount": 100, "reason": "requested_by_client"}

    @pytest.mark.parametrize(
        ("method", "kind"), [(PaymentMethod.QR_DYNAMIC, PayByQr), (PaymentMethod.PAYMENT_LINK, PayByLink)]
    )
    def test_how_it_was_asked_for_is_read_back(self, method: PaymentMethod, kind: type) -> None:
        metadata = mapping.order_body(make_request(method=method), ConektaSettings())["metadata"]
        created = mapping.created(make_order(metadata=metadata, checkout={"id": "c", "url": "https://pay"}))
        assert isinstance(created.instructions, kind)

    def test_an_order_that_tells_no_way_to_pay_is_not_created(self) -> None:
        with pytest.raises(ValueError, match="no way"):
            mapping.created(make_order())


class TestFailure:
    @pytest.mark.parametrize(
        ("status", "write", "kind"),
        [
            (400, True, ProviderRejected),
            (401, True, ProviderNotConfigured),
            (402, True, Declined),
            (403, False, ProviderNotConfigured),
            (404, False, PaymentNotFound),
            (408, True, OutcomeUnknown),
            (408, False, ProviderUnavailable),
            (422, True, ProviderRejected),
            (428, True, ProviderRejected),
            (429, True, ProviderUnavailable),
            (500, True, OutcomeUnknown),
            (500, False, ProviderUnavailable),
            (503, True, OutcomeUnknown),
            (302, True, OutcomeUnknown),
            (204, True, OutcomeUnknown),
        ],
    )
    def test_by_status(self, status: int, write: bool, kind: type[Exception]) -> None:
        assert type(mapping.failure(status, None, write=write, retry_after=None)) is kind

    def test_their_text_is_left_out(self) -> None:
        error = wire.Error.model_validate(
            {
                "type": "parameter_validation_error",
                "details": [{"message": "ana@example.com is no e-mail", "code": "c"}],
            }
        )
        assert "ana@example.com" not in str(mapping.failure(422, error, write=True, retry_after=None))
