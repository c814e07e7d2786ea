from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel import FixedClock
from psp.argentina.mercadopago.settings import MercadoPagoSettings
from psp.argentina.mercadopago.webhook import MercadoPagoWebhooks
from psp.provider import InvalidSignature, MalformedWebhook, ProviderNotConfigured, WebhookRequest

SECRET = "your_secret_key_here"
REQUEST_ID = "2066ca19-c6f1-498a-be75-1923005edd06"
ORDER_ID = "ORD01JQ4S4KY8HWQ6NA5PXB65B3D3"
TS = "1742505638683"


def make_receiver(secret: str | None = SECRET, clock: FixedClock | None = None, **settings: Any) -> MercadoPagoWebhooks:
    return MercadoPagoWebhooks(MercadoPagoSettings(webhook_secret=secret, **settings), clock)  # type: ignore[arg-type]


def make_request(
    v1: str, *, ts: str = TS, data_id: str | None = ORDER_ID, request_id: str | None = REQUEST_ID, body: bytes = b"{}"
) -> WebhookRequest:
    headers = {"X-Signature": f"ts={ts},v1={v1}"} | ({"X-Request-Id": request_id} if request_id else {})
    return WebhookRequest(body, headers, [("data.id", data_id), ("type", "order")] if data_id else [])


def sign(text: str, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def make_signed(body: bytes = b"{}", data_id: str = ORDER_ID, ts: str = TS) -> WebhookRequest:
    return make_request(sign(f"id:{data_id};request-id:{REQUEST_ID};ts:{ts};"), data_id=data_id, ts=ts, body=body)


class TestVectors:
    """Inputs of the official SDK's tests (tests/test_webhook_signature_validator.py)."""

    @pytest.mark.parametrize("data_id", [ORDER_ID, ORDER_ID.lower()])
    def test_lower_case_is_signed(self, data_id: str) -> None:
        v1 = "633f91233312dd391ec75fa0bea539cfc2d6c4918873305b84a96cc1c58db71c"
        make_receiver().verify_webhook_signature(make_request(v1, data_id=data_id))

    def test_without_a_request_id(self) -> None:
        v1 = "a20c44820ab71562e89a7c9f64d5636efc8beba587b16c2f9bbbc3504892741a"
        make_receiver().verify_webhook_signature(make_request(v1, request_id=None))

    def test_a_proxys_request_id_is_no_part_of_it(self) -> None:
        v1 = "a20c44820ab71562e89a7c9f64d5636efc8beba587b16c2f9bbbc3504892741a"
        make_receiver().verify_webhook_signature(make_request(v1, request_id="0198c2d4-0000-7000-8000-000000000000"))

    def test_the_time_alone(self) -> None:
        v1 = "3f075add3ddb923bebf0bc0648457b8244cf4420b98d5b445167d379bec0ca54"
        make_receiver().verify_webhook_signature(make_request(v1, data_id=None, request_id=None))

    def test_seconds(self) -> None:
        v1 = "2950837c0ba1681e168f193fb68dad2d33a2372e6cf86379ca8eeaa965009294"
        make_receiver().verify_webhook_signature(make_request(v1, data_id="123456789", ts="1704908010"))

    def test_published_headers_are_of_another_secret(self) -> None:
        v1 = "ced36ab6d33566bb1e16c125819b8d840d6b8ef136b0b9127c76064466f5229b"
        with pytest.raises(InvalidSignature):
            make_receiver().verify_webhook_signature(make_request(v1))


class TestSignature:
    @pytest.mark.parametrize("data_id", [ORDER_ID, ORDER_ID.lower(), "Ord01jq4s"])
    def test_the_spelling_that_was_sent_is_signed(self, data_id: str) -> None:
        make_receiver().verify_webhook_signature(make_signed(data_id=data_id))

    def test_another_resource_does_not_hold(self) -> None:
        signed = make_signed()
        with pytest.raises(InvalidSignature):
            make_receiver().verify_webhook_signature(
                WebhookRequest(b"{}", signed.headers, [("data.id", ORDER_ID[:-1]), ("type", "order")])
            )

    def test_an_id_added_to_a_signature_without_one_does_not_hold(self) -> None:
        with pytest.raises(InvalidSignature):
            make_receiver().verify_webhook_signature(make_request(sign(f"ts:{TS};"), request_id=None))

    def test_one_part_cannot_pose_as_two(self) -> None:
        v1 = sign(f"id:{ORDER_ID};request-id:{REQUEST_ID};ts:{TS};")
        posing = f"{ORDER_ID};request-id:{REQUEST_ID}"
        with pytest.raises(InvalidSignature):
            make_receiver().verify_webhook_signature(make_request(v1, data_id=posing, request_id=None))

    @pytest.mark.parametrize(
        "header",
        [
            "",
            " ",
            "ts=1742505638683",
            "v1=" + "0" * 64,
            "ts=,v1=" + "0" * 64,
            "ts=١٧٤٢٥٠٥٦٣٨٦٨٣,v1=" + "0" * 64,
            "ts=1742505638683,v1=" + "0" * 63,
            "ts=1742505638683,v1=" + "G" * 64,
            "ts=1742505638683,ts=1742505638684,v1=" + "0" * 64,
            "ts=1742505638683;v1=" + "0" * 64,
            "ts=99999999999999999,v1=" + "0" * 64,
        ],
    )
    def test_other_forms_do_not_hold(self, header: str) -> None:
        with pytest.raises(InvalidSignature):
            make_receiver().verify_webhook_signature(WebhookRequest(b"{}", {"x-signature": header}))

    def test_upper_case_hexadecimal_does_not_hold(self) -> None:
        v1 = sign(f"id:{ORDER_ID};request-id:{REQUEST_ID};ts:{TS};").upper()
        with pytest.raises(InvalidSignature):
            make_receiver().verify_webhook_signature(make_request(v1))

    def test_headers_and_parameters_come_once(self) -> None:
        signed = make_signed()
        for changed in (
            WebhookRequest(b"{}", {**signed.headers, "x-signature": signed.headers["X-Signature"]}, signed.query),
            WebhookRequest(b"{}", {**signed.headers, "x-request-id": REQUEST_ID}, signed.query),
            WebhookRequest(b"{}", signed.headers, [*signed.query, ("data.id", ORDER_ID)]),
        ):
            with pytest.raises(InvalidSignature):
                make_receiver().verify_webhook_signature(changed)

    def test_while_a_secret_is_renewed_both_hold(self) -> None:
        receiver = make_receiver(f"{SECRET}, another")
        for secret in (SECRET, "another"):
            v1 = sign(f"id:{ORDER_ID};request-id:{REQUEST_ID};ts:{TS};", secret)
            receiver.verify_webhook_signature(make_request(v1))

    @pytest.mark.parametrize("secret", [None, "", " ", ","])
    def test_without_a_secret_nothing_is_let_in(self, secret: str | None) -> None:
        with pytest.raises(ProviderNotConfigured):
            make_receiver(secret).verify_webhook_signature(make_signed())

    @given(st.text(max_size=300), st.text(max_size=100), st.text(max_size=100))
    def test_no_header_or_parameter_crashes(self, header: str, request_id: str, data_id: str) -> None:
        request = WebhookRequest(b"{}", {"x-signature": header, "x-request-id": request_id}, [("data.id", data_id)])
        with pytest.raises(InvalidSignature):
            make_receiver().verify_webhook_signature(request)


class TestTolerance:
    @pytest.mark.parametrize("ts", ["1768500000", "1768500000000"])
    def test_seconds_and_milliseconds_are_told_apart(self, ts: str) -> None:
        clock = FixedClock(datetime.fromtimestamp(1768500000, UTC))
        receiver = make_receiver(clock=clock, webhook_tolerance_seconds=300)
        receiver.verify_webhook_signature(make_signed(ts=ts))
        clock.advance(timedelta(seconds=301))
        with pytest.raises(InvalidSignature, match="outdated"):
            receiver.verify_webhook_signature(make_signed(ts=ts))

    def test_by_default_a_late_repetition_holds(self) -> None:
        make_receiver().verify_webhook_signature(make_signed(ts="1704908010"))


class TestParsing:
    def body(self, **changes: Any) -> bytes:
        values = {"type": "order", "action": "order.processed", "data": {"id": ORDER_ID}}
        return json.dumps(values | changes).encode()

    @pytest.mark.parametrize("spelling", [str.upper, str.lower])
    def test_a_qr_order(self, sample: Callable[[str], bytes], spelling: Callable[[str], str]) -> None:
        """MP-QRDOC, order.processed. Orders are asked for in their own spelling, whatever the query's."""
        request = make_signed(sample("notification_processed"), spelling("ORD01JV3AW3NFSTSTB669F41NACDX"))
        event = make_receiver().parse_webhook(request)
        assert (event.provider, event.event_type) == ("mercadopago", "order.processed")
        assert event.provider_ref == "ORD01JV3AW3NFSTSTB669F41NACDX"
        assert event.our_reference == "ER_123456"
        assert event.occurred_at == datetime(2025, 5, 12, 22, 46, 59, 635_090, tzinfo=UTC)

    def test_another_topic_is_about_no_payment_of_ours(self, sample: Callable[[str], bytes]) -> None:
        """MP-WH, payment.created."""
        event = make_receiver().parse_webhook(make_signed(sample("notification_payment"), "999999999"))
        assert (event.event_type, event.provider_ref, event.our_reference) == ("payment.created", None, None)

    def test_the_identity_is_of_what_is_signed(self, sample: Callable[[str], bytes]) -> None:
        body = sample("notification_expired")
        order_id = "ORD01JV391F8YM8EDEAG8CWZ0GM0N"
        first = make_receiver().parse_webhook(make_signed(body, order_id))
        altered = make_receiver().parse_webhook(make_signed(body.replace(b"expired", b"processed"), order_id))
        later = make_receiver().parse_webhook(make_signed(body, order_id, ts="1742505638684"))
        assert first.event_id == altered.event_id != later.event_id
        assert len(first.event_id) < 200

    def test_a_body_about_another_order_than_the_signed_one_is_malformed(self) -> None:
        with pytest.raises(MalformedWebhook):
            make_receiver().parse_webhook(make_signed(self.body(data={"id": "ORD2"})))

    def test_without_a_date_the_signatures_time_counts(self) -> None:
        event = make_receiver().parse_webhook(make_signed(self.body()))
        assert event.occurred_at == datetime.fromtimestamp(1742505638.683, UTC)

    @pytest.mark.parametrize(
        "changes",
        [
            {"type": None},
            {"type": ""},
            {"type": "x" * 101},
            {"action": 5},
            {"data": None},
            {"data": {}},
            {"data": {"id": ""}},
            {"data": {"id": True}},
            {"date_created": "yesterday"},
            {"date_created": "2025-05-12T22:46:59"},
        ],
    )
    def test_what_cannot_be_read_is_malformed(self, changes: dict[str, Any]) -> None:
        with pytest.raises(MalformedWebhook):
            make_receiver().parse_webhook(make_signed(self.body(**changes)))

    @given(st.binary(max_size=200))
    def test_bytes_of_any_kind_are_malformed_but_never_crash(self, body: bytes) -> None:
        with pytest.raises(MalformedWebhook):
            make_receiver().parse_webhook(make_signed(body))
