from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from chassis.strict_json import strict_json
from hypothesis import given
from hypothesis import strategies as st
from kernel import Money
from psp.argentina.mercadopago import mapping, wire
from psp.argentina.mercadopago.settings import MercadoPagoSettings
from psp.provider import (
    Customer,
    Declined,
    FailureReason,
    IntentRequest,
    OutcomeUnknown,
    PayByLink,
    PayByQr,
    PaymentMethod,
    PaymentNotFound,
    ProviderNotConfigured,
    ProviderRejected,
    ProviderStatus,
    ProviderUnavailable,
    RefundStatus,
)

NOW = datetime(2026, 1, 15, 18, 0, tzinfo=UTC)
REFERENCE = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
SETTINGS = MercadoPagoSettings(external_pos_id="STORE001POS001")
Sample = Callable[[str], bytes]


def make_order(**changes: Any) -> wire.Order:
    values = {"id": "ORD01K372G4J4FXZ9HGHZMJMGGPKE", "total_amount": "150.50", "currency": "ARS", "status": "created"}
    return wire.Order.model_validate(values | changes)


def make_request(**changes: Any) -> IntentRequest:
    values: dict[str, Any] = {
        "reference": REFERENCE,
        "amount": Money.of("150.50", "ARS"),
        "method": PaymentMethod.QR_DYNAMIC,
        "description": "Dos cafés",
        "expires_at": NOW + timedelta(minutes=16),
    }
    return IntentRequest(**values | changes)


class TestSamples:
    def test_a_qr_order(self, sample: Sample) -> None:
        """MP-QRDOC, the guide's answer to POST /v1/orders."""
        order = wire.Order.model_validate(strict_json(sample("order_qr")))
        created = mapping.created(order)
        assert created.provider_ref == "ORD01K372G4J4FXZ9HGHZMJMGGPKE"
        assert created.status is ProviderStatus.PENDING
        assert created.instructions == PayByQr("0002010102122658BR.GOV.BCB.PIX", native=True)
        assert created.expires_at == datetime(2025, 8, 21, 19, 59, 10, 130_000, tzinfo=UTC)
        payment = mapping.fetched(order)
        assert (payment.our_reference, payment.amount) == ("ext_ref_1234", Money.of("50.00", "ARS"))
        assert (payment.account, payment.live) == ("240424235", None)

    def test_a_refund_under_way(self, sample: Sample) -> None:
        """MP-PY, the docstring of order().refund()."""
        answer = wire.ChangedOrder.model_validate(strict_json(sample("refund")))
        order = make_order(total_amount="50.00").model_copy(update={"transactions": answer.transactions})
        [refund] = mapping.fetched(order).refunds
        assert refund.refund_ref == "REF01JW7YS4YHV543DJ6JGYZBX6A0"
        assert (refund.amount, refund.status) == (Money.of("50.00", "ARS"), RefundStatus.PENDING)

    @pytest.mark.parametrize(
        ("name", "code"), [("error_property_value", "property_value"), ("error_bad_request", "4292")]
    )
    def test_errors_of_both_forms(self, sample: Sample, name: str, code: str) -> None:
        """Orders; payments and preferences (MP-AR)."""
        error = wire.Error.model_validate(strict_json(sample(name)))
        failure = mapping.failure(400, error, write=True, retry_after=None)
        assert isinstance(failure, ProviderRejected)
        assert failure.code == code


class TestBody:
    def test_a_dynamic_qr_code(self) -> None:
        """MP-QRDOC, the guide's POST /v1/orders."""
        assert mapping.order_body(make_request(), SETTINGS, NOW) == {
            "type": "qr",
            "total_amount": "150.50",
            "description": "Dos cafés",
            "external_reference": str(REFERENCE),
            "expiration_time": "PT16M",
            "config": {"qr": {"external_pos_id": "STORE001POS001", "mode": "dynamic"}},
            "transactions": {"payments": [{"amount": "150.50"}]},
        }

    def test_a_checkout(self) -> None:
        """MP-PY, examples/order/create_order_checkout_pro.py."""
        settings = MercadoPagoSettings(success_url="https://shop.example/ok", failure_url="https://shop.example/no")
        request = make_request(method=PaymentMethod.PAYMENT_LINK, customer=Customer(email="ana@example.com"))
        assert mapping.order_body(request, settings, NOW) == {
            "type": "online",
            "processing_mode": "manual",
            "capture_mode": "automatic",
            "total_amount": "150.50",
            "description": "Dos cafés",
            "external_reference": str(REFERENCE),
            "expiration_time": "PT16M",
            "payer": {"email": "ana@example.com"},
            "items": [{"title": "Dos cafés", "quantity": 1, "unit_price": "150.50"}],
            "config": {
                "online": {
                    "success_url": "https://shop.example/ok",
                    "failure_url": "https://shop.example/no",
                    "auto_return": "approved",
                },
                "payment_method": {"not_allowed_types": ["ticket"]},
            },
        }

    def test_without_a_point_of_sale_there_is_no_code(self) -> None:
        with pytest.raises(ProviderNotConfigured):
            mapping.order_body(make_request(), MercadoPagoSettings(external_pos_id=None), NOW)

    @pytest.mark.parametrize(("given", "sent"), [("x" * 300, "x" * 150), ("  ", "Pago"), (" té ", "té")])
    def test_a_description_fits(self, given: str, sent: str) -> None:
        assert mapping.order_body(make_request(description=given), SETTINGS, NOW)["description"] == sent

    @given(st.integers(300, 31 * 86_400))
    def test_an_expiry_is_never_earlier_and_at_most_a_minute_later(self, seconds: int) -> None:
        body = mapping.order_body(make_request(expires_at=NOW + timedelta(seconds=seconds)), SETTINGS, NOW)
        order = make_order(created_date=NOW.isoformat(), expiration_time=body["expiration_time"])
        expires_at = mapping.fetched(order).expires_at
        assert expires_at is not None
        assert timedelta() <= expires_at - (NOW + timedelta(seconds=seconds)) < timedelta(minutes=1)


class TestAmounts:
    @given(st.integers(1, 10**13))
    def test_there_and_back(self, minor: int) -> None:
        amount = Money.of(Decimal(minor).scaleb(-2), "ARS")
        sent = mapping.order_body(make_request(amount=amount), SETTINGS, NOW)["total_amount"]
        assert mapping.fetched(make_order(total_amount=sent)).amount == amount
        assert mapping.partial_refund_body("PAY1", amount) == {"transactions": [{"id": "PAY1", "amount": sent}]}

    @pytest.mark.parametrize("text", [b'"50.00"', b'"50"', b"50", b"50.0", b"50.00"])
    def test_strings_and_bare_numbers_are_read(self, text: bytes) -> None:
        order = strict_json(b'{"id": "ORD1", "currency": "ARS", "total_amount": ' + text + b"}")
        assert mapping.fetched(wire.Order.model_validate(order)).amount == Money.of("50.00", "ARS")

    @pytest.mark.parametrize("amount", ["50.001", "", "fifty", "1e3000000", "NaN"])
    def test_what_is_no_amount_is_a_value_error(self, amount: str) -> None:
        with pytest.raises(ValueError, match=r"amount|decimals"):
            mapping.fetched(make_order(total_amount=amount))

    def test_what_was_paid_counts_and_not_what_instalments_cost(self) -> None:
        payments = [
            {"id": "PAY1", "amount": "150.50", "status": "failed"},
            {"id": "PAY2", "amount": "100.00", "paid_amount": "180.00", "status": "processed"},
        ]
        order = make_order(status="processed", status_detail="accredited", transactions={"payments": payments})
        assert mapping.fetched(order).amount == Money.of("100.00", "ARS")
        assert mapping.paid_transaction(order) == "PAY2"

    @pytest.mark.parametrize(
        ("changes", "known"),
        [
            ({"currency": None, "country_code": "ARG"}, True),
            ({"currency": None, "country_code": "BRA"}, False),
            ({"currency": None}, False),
            ({"currency": "BRL"}, False),
        ],
    )
    def test_a_currency_is_never_guessed(self, changes: dict[str, Any], known: bool) -> None:
        order = make_order(**changes)
        if known:
            assert mapping.fetched(order).amount == Money.of("150.50", "ARS")
        else:
            with pytest.raises(ValueError, match="currency"):
                mapping.fetched(order)


class TestStatus:
    @pytest.mark.parametrize(
        ("status", "detail", "expected", "reason"),
        [
            ("created", "created", ProviderStatus.PENDING, None),
            ("processing", "in_process", ProviderStatus.PENDING, None),
            ("action_required", "waiting_payment", ProviderStatus.PENDING, None),
            ("in_review", None, ProviderStatus.PENDING, None),
            ("at_terminal", "at_terminal", ProviderStatus.PENDING, None),
            ("processed", "accredited", ProviderStatus.CONFIRMED, None),
            ("processed", "processed", ProviderStatus.CONFIRMED, None),
            ("processed", "partially_refunded", ProviderStatus.PARTIALLY_REFUNDED, None),
            ("refunded", "refunded", ProviderStatus.REFUNDED, None),
            ("canceled", "canceled_by_api", ProviderStatus.FAILED, FailureReason.CANCELED),
            ("expired", "expired", ProviderStatus.FAILED, FailureReason.EXPIRED),
            ("failed", "rejected_by_issuer", ProviderStatus.FAILED, FailureReason.DECLINED),
        ],
    )
    def test_the_table(
        self, status: str, detail: str | None, expected: ProviderStatus, reason: FailureReason | None
    ) -> None:
        payment = mapping.fetched(make_order(status=status, status_detail=detail))
        assert (payment.status, payment.failure_reason, payment.unlisted) == (expected, reason, False)

    @pytest.mark.parametrize(
        ("status", "detail"),
        [("charged_back", None), ("processed", "in_mediation"), ("processed", None), (None, None), ("approved", None)],
    )
    def test_what_is_not_listed_is_pending(self, status: str | None, detail: str | None) -> None:
        payment = mapping.fetched(make_order(status=status, status_detail=detail))
        assert (payment.status, payment.unlisted) == (ProviderStatus.PENDING, True)

    @given(st.text(), st.text())
    def test_no_made_up_status_is_ever_terminal(self, status: str, detail: str) -> None:
        payment = mapping.fetched(make_order(status=f"x{status}", status_detail=detail))
        assert (payment.status, payment.unlisted) == (ProviderStatus.PENDING, True)

    @pytest.mark.parametrize("status", [None, "rejected", "x"])
    def test_a_refund_of_unlisted_status_is_under_way(self, status: str | None) -> None:
        refunds = [{"id": "REF1", "amount": "1.00", "status": status}]
        [refund] = mapping.fetched(make_order(transactions={"refunds": refunds})).refunds
        assert (refund.status, refund.unlisted) == (RefundStatus.PENDING, True)


class TestInstructions:
    @pytest.mark.parametrize("url", ["javascript:alert(1)", "", "//x", "https://x y"])
    def test_only_an_address_is_a_link(self, url: str) -> None:
        assert mapping.fetched(make_order(type="online", checkout_url=url)).instructions is None
        with pytest.raises(ValueError, match="no way"):
            mapping.created(make_order(type="online", checkout_url=url))

    def test_a_checkout_is_a_link(self) -> None:
        order = make_order(type="online", checkout_url="https://www.mercadopago.com.ar/checkout/1")
        assert mapping.fetched(order).instructions == PayByLink("https://www.mercadopago.com.ar/checkout/1")

    @pytest.mark.parametrize("duration", ["16", "P", "PT", "PT1.5M", "P1W", "P9999D"])
    def test_what_is_no_duration_is_a_value_error(self, duration: str) -> None:
        order = make_order(created_date="9000-01-01T00:00:00Z", expiration_time=duration)
        if duration == "P9999D":
            assert mapping.fetched(order).expires_at is not None
            order = make_order(created_date="9999-12-01T00:00:00Z", expiration_time=duration)
        with pytest.raises(ValueError, match="expiration_time"):
            mapping.fetched(order)


class TestFailure:
    @pytest.mark.parametrize(
        ("status", "code", "write", "kind"),
        [
            (401, "unauthorized", True, ProviderNotConfigured),
            (403, None, False, ProviderNotConfigured),
            (402, "failed", True, Declined),
            (404, "order_not_found", False, PaymentNotFound),
            (400, "invalid_total_amount", True, ProviderRejected),
            (409, "cannot_refund_order", True, ProviderRejected),
            (409, "idempotency_key_already_used", True, OutcomeUnknown),
            (423, "resource_locked", True, OutcomeUnknown),
            (424, None, True, OutcomeUnknown),
            (408, None, True, OutcomeUnknown),
            (424, None, False, ProviderUnavailable),
            (429, "local_rate_limited", True, ProviderUnavailable),
            (500, "internal_error", True, OutcomeUnknown),
            (500, "idempotency_validation_failed", True, OutcomeUnknown),
            (503, None, False, ProviderUnavailable),
            (302, None, True, OutcomeUnknown),
        ],
    )
    def test_the_table(self, status: int, code: str | None, write: bool, kind: type[Exception]) -> None:
        error = wire.Error.model_validate({"errors": [{"code": code}]}) if code else None
        failure = mapping.failure(status, error, write=write, retry_after=3)
        assert type(failure) is kind
        if kind is ProviderUnavailable:
            assert failure.retry_after == 3
