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
from kernel import Currency, Money, new_id
from psp.chile.khipu import mapping, wire
from psp.chile.khipu.settings import KhipuSettings
from psp.provider import (
    Customer,
    FailureReason,
    IdentityDocument,
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
from pydantic import ValidationError

REFERENCE = "01890a5d-ac96-774b-bcce-b302099a8057"
SETTINGS = KhipuSettings(api_key=None)
Sample = Callable[[str], bytes]


def pesos(amount: int) -> Money:
    return Money(amount, Currency.CLP)


def make_payment(**changes: Any) -> wire.Payment:
    values = {"payment_id": "p1", "amount": 1000, "currency": "CLP", "status": "pending", "status_detail": "pending"}
    return wire.Payment.model_validate(values | changes)


def make_request(**changes: Any) -> IntentRequest:
    values: dict[str, Any] = {
        "reference": UUID(REFERENCE),
        "amount": pesos(15000),
        "method": PaymentMethod.PAYMENT_LINK,
        "description": "Dos cafés",
        "expires_at": datetime(2026, 1, 15, 18, 30, 0, 999_999, tzinfo=UTC),
    }
    return IntentRequest(**values | changes)


def make_refund(amount: int, **changes: Any) -> RefundRequest:
    values: dict[str, Any] = {"reference": new_id(), "provider_ref": "p1", "amount": pesos(amount)}
    return RefundRequest(**values | changes)


def refund_entry(status: str | None, amount: str = "400.0000", id: str = "r1") -> dict[str, Any]:
    return {"id": id, "status": status, "amount": amount, "currency": "CLP"}


class TestSamples:
    def test_a_creation(self, sample: Sample) -> None:
        addresses = wire.Addresses.model_validate(strict_json(sample("created")))
        created = mapping.created(addresses, make_request(), SETTINGS)
        assert created.provider_ref == "gqzdy6chjne9"
        assert created.status is ProviderStatus.PENDING
        assert created.instructions == PayByLink("https://khipu.com/payment/info/gqzdy6chjne9")
        assert created.expires_at == datetime(2026, 1, 15, 18, 30, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("method", "changes", "instructions"),
        [
            (
                PaymentMethod.QR_DYNAMIC,
                {},
                PayByQr("https://khipu.com/payment/info/gqzdy6chjne9", native=False),
            ),
            (PaymentMethod.QR_DYNAMIC, {"qr_address": "app_url"}, PayByQr("khipu:///pos/gqzdy6chjne9", native=False)),
            (
                PaymentMethod.BANK_TRANSFER,
                {},
                PayByTransfer(url="https://app.khipu.com/payment/simplified/gqzdy6chjne9"),
            ),
            (
                PaymentMethod.BANK_TRANSFER,
                {"transfer": "regular"},
                PayByTransfer(url="https://khipu.com/payment/manual/gqzdy6chjne9"),
            ),
        ],
    )
    def test_each_method_has_its_address(
        self, sample: Sample, method: PaymentMethod, changes: dict[str, str], instructions: object
    ) -> None:
        addresses = wire.Addresses.model_validate(strict_json(sample("created")))
        settings = KhipuSettings(**changes)  # type: ignore[arg-type]
        assert mapping.created(addresses, make_request(method=method), settings).instructions == instructions

    def test_an_answer_without_the_address_is_not_created(self) -> None:
        addresses = wire.Addresses(payment_id="p1", payment_url="https://khipu.com/payment/info/p1")
        with pytest.raises(ValueError, match="no way"):
            mapping.created(addresses, make_request(method=PaymentMethod.BANK_TRANSFER), SETTINGS)

    def test_the_documented_payment(self, sample: Sample) -> None:
        payment = mapping.fetched(wire.Payment.model_validate(strict_json(sample("payment"))), SETTINGS)
        assert payment.provider_ref == "gqzdy6chjne9"
        assert payment.our_reference == "zwo3wqz6uulcvajt"
        assert payment.amount == pesos(1000)
        assert (payment.status, payment.status_text) == (ProviderStatus.CONFIRMED, "done/normal")
        assert (payment.account, payment.live) == ("985101", None)
        assert payment.paid_at == datetime(2017, 3, 1, 13, tzinfo=UTC)
        assert payment.expires_at == datetime(2023, 12, 31, 19, 45, tzinfo=UTC)
        assert payment.instructions == PayByLink("https://khipu.com/payment/info/gqzdy6chjne9")

    def test_a_payment_with_refunds(self, sample: Sample) -> None:
        payment = mapping.fetched(wire.Payment.model_validate(strict_json(sample("payment_with_refunds"))), SETTINGS)
        assert payment.status is ProviderStatus.PARTIALLY_REFUNDED
        assert payment.refunded == pesos(5000)
        assert [(refund.refund_ref, refund.status, refund.amount.minor) for refund in payment.refunds] == [
            ("b31bd9aa", RefundStatus.PENDING, 6000),
            ("c42ce0bb", RefundStatus.SUCCEEDED, 5000),
            ("d53df1cc", RefundStatus.FAILED, 1000),
        ]
        assert mapping.left_of(payment) == pesos(4000)

    def test_a_refund(self, sample: Sample) -> None:
        refund = mapping.refund(wire.Refunded.model_validate(strict_json(sample("refund"))))
        assert refund.refund_ref == "b31bd9aa-273b-4aed-9516-85866d47a931"
        assert (refund.amount, refund.status) == (pesos(205), RefundStatus.PENDING)

    def test_an_error(self, sample: Sample) -> None:
        error = wire.Error.model_validate(strict_json(sample("error")))
        failure = mapping.failure(400, error, write=True, retry_after=None)
        assert isinstance(failure, ProviderRejected)
        assert (failure.code, failure.param) == ("http_400", "amount")


class TestStatus:
    @pytest.mark.parametrize(
        ("status", "detail", "expected", "reason"),
        [
            ("pending", "pending", ProviderStatus.PENDING, None),
            ("verifying", "pending", ProviderStatus.PENDING, None),
            ("verifying", None, ProviderStatus.PENDING, None),
            ("done", "normal", ProviderStatus.CONFIRMED, None),
            ("done", "marked-paid-by-receiver", ProviderStatus.CONFIRMED, None),
            ("done", "rejected-by-payer", ProviderStatus.FAILED, FailureReason.DECLINED),
            ("done", "marked-as-abuse", ProviderStatus.FAILED, FailureReason.DECLINED),
            ("done", "reversed", ProviderStatus.REFUNDED, None),
            ("done", "partially-refunded", ProviderStatus.PARTIALLY_REFUNDED, None),
            ("done", "fully-refunded", ProviderStatus.REFUNDED, None),
            ("deleted", "pending", ProviderStatus.FAILED, FailureReason.CANCELED),
        ],
    )
    def test_the_table(
        self, status: str, detail: str | None, expected: ProviderStatus, reason: FailureReason | None
    ) -> None:
        payment = mapping.fetched(make_payment(status=status, status_detail=detail), SETTINGS)
        assert (payment.status, payment.failure_reason, payment.unlisted) == (expected, reason, False)

    @given(st.text(), st.none() | st.text())
    def test_any_other_words_are_pending_and_unlisted(self, status: str, detail: str | None) -> None:
        if (status, detail or "") in mapping.STATUSES:
            return
        payment = mapping.fetched(make_payment(status=status, status_detail=detail), SETTINGS)
        assert (payment.status, payment.failure_reason, payment.unlisted) == (ProviderStatus.PENDING, None, True)

    @pytest.mark.parametrize(
        ("status", "detail"),
        [
            ("done", None),
            ("done", ""),
            ("done", "pending"),
            ("Done", "normal"),
            ("done", "normal "),
            ("paid", "normal"),
        ],
    )
    def test_near_misses_confirm_nothing(self, status: str, detail: str | None) -> None:
        payment = mapping.fetched(make_payment(status=status, status_detail=detail), SETTINGS)
        assert payment.status is ProviderStatus.PENDING
        assert payment.unlisted

    def test_a_failure_says_what_the_buyer_said(self) -> None:
        payment = mapping.fetched(make_payment(status="done", status_detail="marked-as-abuse"), SETTINGS)
        assert payment.failure_detail == "marked-as-abuse"

    @pytest.mark.parametrize(
        ("status", "detail", "after", "failed"),
        [
            ("pending", "pending", timedelta(hours=3), True),
            ("pending", "pending", timedelta(hours=2, minutes=59), False),
            ("verifying", "pending", timedelta(days=9), False),
            ("done", "normal", timedelta(days=9), False),
            ("in_orbit", "pending", timedelta(days=9), False),
        ],
    )
    def test_expiry_is_concluded_once_the_last_attempt_is_over(
        self, status: str, detail: str, after: timedelta, failed: bool
    ) -> None:
        wired = make_payment(status=status, status_detail=detail, expires_date="2026-01-15T15:00:00-03:00")
        reading = mapping.fetched_at(wired, SETTINGS, datetime(2026, 1, 15, 18, tzinfo=UTC) + after)
        assert (reading.failure_reason is FailureReason.EXPIRED) == failed

    @pytest.mark.parametrize("date", [None, "", "soon", "2020-01-01", "2020-01-01T00:00:00"])
    def test_a_date_that_is_no_instant_ends_nothing(self, date: str | None) -> None:
        assert mapping.fetched(make_payment(expires_date=date), SETTINGS).expires_at is None


class TestRefundedStatus:
    @pytest.mark.parametrize(
        ("statuses", "expected", "refunded"),
        [
            (["pending"], ProviderStatus.CONFIRMED, 0),
            (["authorized"], ProviderStatus.CONFIRMED, 0),
            (["expired"], ProviderStatus.CONFIRMED, 0),
            (["unheard-of"], ProviderStatus.CONFIRMED, 0),
            (["paid"], ProviderStatus.PARTIALLY_REFUNDED, 400),
            (["paid", "pending"], ProviderStatus.PARTIALLY_REFUNDED, 400),
        ],
    )
    def test_money_is_back_when_a_refund_says_so(
        self, statuses: list[str], expected: ProviderStatus, refunded: int
    ) -> None:
        refunds = [refund_entry(status, id=f"r{i}") for i, status in enumerate(statuses)]
        for detail in ("normal", "partially-refunded", "fully-refunded"):
            payment = mapping.fetched(make_payment(status="done", status_detail=detail, refunds=refunds), SETTINGS)
            assert (payment.status, payment.refunded) == (expected, pesos(refunded))

    def test_all_of_it(self) -> None:
        refunds = [refund_entry("paid", "400.0000", "a"), refund_entry("paid", "600.0000", "b")]
        payment = mapping.fetched(
            make_payment(status="done", status_detail="fully-refunded", refunds=refunds), SETTINGS
        )
        assert (payment.status, payment.refunded) == (ProviderStatus.REFUNDED, pesos(1000))

    def test_without_a_list_the_word_counts(self) -> None:
        whole = mapping.fetched(make_payment(status="done", status_detail="reversed"), SETTINGS)
        assert [(refund.amount, refund.status) for refund in whole.refunds] == [(pesos(1000), RefundStatus.SUCCEEDED)]
        assert whole.refunded == pesos(1000)
        part = mapping.fetched(
            make_payment(status="done", status_detail="partially-refunded", total_refunded="300.0000"), SETTINGS
        )
        assert (part.status, part.refunded, part.refunds) == (ProviderStatus.PARTIALLY_REFUNDED, pesos(300), ())

    def test_a_reversed_payment_is_back_whatever_is_listed(self) -> None:
        payment = mapping.fetched(
            make_payment(status="done", status_detail="reversed", refunds=[refund_entry("paid")]), SETTINGS
        )
        assert (payment.status, payment.refunded) == (ProviderStatus.REFUNDED, pesos(1000))

    @given(st.none() | st.text())
    def test_a_refund_is_done_only_when_it_says_so(self, word: str | None) -> None:
        wired = make_payment(status="done", status_detail="partially-refunded", refunds=[refund_entry(word)])
        entry = mapping.fetched(wired, SETTINGS).refunds[0]
        assert (entry.status is RefundStatus.SUCCEEDED) == (word == "paid")
        assert entry.unlisted == (word not in mapping.REFUND_STATUSES)


class TestAmounts:
    @given(st.integers(min_value=1, max_value=10**12))
    def test_pesos_go_out_as_an_integer_and_come_back_unchanged(self, amount: int) -> None:
        body = mapping.payment_body(make_request(amount=pesos(amount)), SETTINGS)
        assert type(body["amount"]) is int
        for written in (body["amount"], f"{body['amount']}.0000", str(body["amount"]), Decimal(f"{amount}.00")):
            assert mapping.fetched(make_payment(amount=written), SETTINGS).amount == pesos(amount)

    @given(st.integers(min_value=1, max_value=10**12))
    def test_refunds_go_out_as_text_and_come_back_unchanged(self, amount: int) -> None:
        body = mapping.refund_body(make_refund(amount), pesos(amount + 1))
        assert body == {"type": "partial", "payment_id": "p1", "amount": str(amount)}
        answer = wire.Refunded(id="r", refunded_amount=f"{body['amount']}.0000", currency="CLP")
        assert mapping.refund(answer).amount == pesos(amount)

    @given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=Decimal("0.0001"), max_value=10**6))
    def test_no_fraction_of_a_peso_is_rounded_away(self, amount: Decimal) -> None:
        wired = make_payment(amount=f"{amount:.4f}")
        if amount == amount.to_integral_value():
            assert mapping.fetched(wired, SETTINGS).amount == pesos(int(amount))
        else:
            with pytest.raises(ValueError, match="decimals"):
                mapping.fetched(wired, SETTINGS)

    @pytest.mark.parametrize(
        "amount", [True, None, 10.0, "", "1,000", "1.000.00", "-1", "+1", "1e3", " 1", "١", "1.00000", "9" * 16, [], {}]
    )
    def test_what_is_no_amount_is_not_read(self, amount: object) -> None:
        with pytest.raises(ValidationError):
            make_payment(amount=amount)

    def test_another_currency_is_not_translated(self) -> None:
        for currency in ("CLF", "USD", "", "clp"):
            with pytest.raises(ValueError, match="currency"):
                mapping.fetched(make_payment(currency=currency), SETTINGS)
        with pytest.raises(ValueError, match="pesos"):
            mapping.payment_body(make_request(amount=Money.of("1", "MXN")), SETTINGS)


class TestBodies:
    def test_a_payment(self) -> None:
        settings = KhipuSettings(notify_url="https://cobro.example/webhooks/khipu", return_url="https://shop.example/r")
        body = mapping.payment_body(make_request(customer=Customer(name="Ana", email="a@b.cl")), settings)
        assert body == {
            "amount": 15000,
            "currency": "CLP",
            "subject": "Dos cafés",
            "transaction_id": REFERENCE,
            "custom": '{"cobro_method": "PAYMENT_LINK"}',
            "expires_date": "2026-01-15T18:30:00Z",
            "return_url": "https://shop.example/r",
            "payer_name": "Ana",
            "payer_email": "a@b.cl",
            "notify_url": "https://cobro.example/webhooks/khipu",
            "notify_api_version": "3.0",
        }

    def test_nobody_else_is_kept_from_paying(self) -> None:
        customer = Customer(name="Ana", document=IdentityDocument("RUT", "11.111.111-1"))
        body = mapping.payment_body(make_request(customer=customer), SETTINGS)
        assert "fixed_payer_personal_identifier" not in body
        assert "notify_api_version" not in body

    @pytest.mark.parametrize(("text", "subject"), [("   ", "Pago"), ("x" * 400, "x" * 255), (" a ", "a")])
    def test_the_description_fits(self, text: str, subject: str) -> None:
        assert mapping.payment_body(make_request(description=text), SETTINGS)["subject"] == subject

    @pytest.mark.parametrize("method", [PaymentMethod.QR_DYNAMIC, PaymentMethod.BANK_TRANSFER])
    def test_how_it_was_asked_for_is_read_back(self, method: PaymentMethod) -> None:
        custom = mapping.payment_body(make_request(method=method), SETTINGS)["custom"]
        assert mapping.method_of(make_payment(custom=custom)) is method

    @pytest.mark.parametrize("custom", [None, "", "<xml>...</xml>", "[]", "null", "1", '{"cobro_method": 1}', "{}"])
    def test_what_we_did_not_ask_for_is_a_link(self, custom: str | None) -> None:
        assert mapping.method_of(make_payment(custom=custom)) is PaymentMethod.PAYMENT_LINK

    def test_all_that_is_left_is_asked_for_without_an_amount(self) -> None:
        assert mapping.refund_body(make_refund(400), pesos(400)) == {"type": "full", "payment_id": "p1"}
        assert mapping.payment_refund_body(make_refund(400), pesos(400)) == {}
        assert mapping.payment_refund_body(make_refund(399), pesos(400)) == {"amount": 399}

    def test_the_merchants_words_stay_out_of_a_refund(self) -> None:
        assert "Pérez" not in str(mapping.refund_body(make_refund(1, reason="El señor Pérez"), pesos(2)))


class TestUnlistedRefund:
    def test_its_reference_tells_its_amount(self) -> None:
        refund = mapping.accepted_refund(make_refund(400))
        for detail, status in (("normal", RefundStatus.PENDING), ("reversed", RefundStatus.SUCCEEDED)):
            payment = mapping.fetched(make_payment(status="done", status_detail=detail), SETTINGS)
            found = mapping.unlisted_refund(payment, refund.refund_ref)
            assert found is not None
            assert (found.refund_ref, found.amount, found.status) == (refund.refund_ref, pesos(400), status)

    @pytest.mark.parametrize("refund_ref", ["", "r1", "accepted.", f"accepted.x.{REFERENCE}", "accepted.1.x"])
    def test_another_is_not_made_up(self, refund_ref: str) -> None:
        assert mapping.unlisted_refund(mapping.fetched(make_payment(), SETTINGS), refund_ref) is None


class TestFailure:
    @pytest.mark.parametrize(
        ("status", "write", "kind"),
        [
            (400, True, ProviderRejected),
            (401, True, ProviderNotConfigured),
            (403, False, ProviderNotConfigured),
            (404, False, PaymentNotFound),
            (408, True, OutcomeUnknown),
            (408, False, ProviderUnavailable),
            (422, True, ProviderRejected),
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

    @pytest.mark.parametrize(
        ("body", "code", "param"),
        [
            ({"code": "invalid", "errors": [{"field": "subject", "message": "x"}]}, "invalid", "subject"),
            ({"code": 17, "type": "bad"}, "17", None),
            ({"type": "bad", "message": "no field here"}, "bad", None),
            ({"status": 400, "message": "payer_email: x", "errors": []}, "http_400", "payer_email"),
        ],
    )
    def test_every_form_that_was_met_is_read(self, body: dict[str, Any], code: str, param: str | None) -> None:
        failure = mapping.failure(400, wire.Error.model_validate(body), write=True, retry_after=None)
        assert (failure.code, failure.param) == (code, param)

    def test_their_text_is_left_out(self) -> None:
        error = wire.Error.model_validate({"message": "payer_email: ana@example.com is no e-mail"})
        assert "ana@example.com" not in str(mapping.failure(400, error, write=True, retry_after=None))
