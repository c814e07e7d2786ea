from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel import FixedClock
from psp.chile.khipu.settings import KhipuSettings
from psp.chile.khipu.webhook import KhipuWebhooks
from psp.provider import InvalidSignature, MalformedWebhook, ProviderNotConfigured, WebhookRequest

Sample = Callable[[str], bytes]

# Of the example on Khipu's page about webhooks; the second body is reproduced by others with a field more.
SECRET = "1a4cbbbeb8bdb7e1d73572b9cc43ce4ce18f79d9"
T = "1711965600393"
PUBLISHED = {
    "webhook": "GYzpjnXlTKQ+BJY7pZJmrM6DZgWMSJdtOr/dleBKTdg=",
    "webhook_with_authorization": "rq08YUGSaWa1D0RAwhMnJTRHMNmY4ToCn2Gd6G9LaDg=",
}
SIGNED_AT = datetime.fromtimestamp(int(T) / 1000, UTC)
BODY = b'{"payment_id":"zfxnocsow6mz","receipt_url":"https:\\/\\/x"}'


def make_receiver(secret: str | None = SECRET, at: datetime = SIGNED_AT, **changes: Any) -> KhipuWebhooks:
    return KhipuWebhooks(KhipuSettings(webhook_secret=secret, **changes), FixedClock(at))


def sign(body: bytes = BODY, t: str = T, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), t.encode() + b"." + body, "sha256")).decode()


def signed(body: bytes = BODY, t: str = T, secret: str = SECRET) -> WebhookRequest:
    return WebhookRequest(body, {"X-Khipu-Signature": f"t={t},s={sign(body, t, secret)}"})


class TestSignature:
    @pytest.mark.parametrize("name", PUBLISHED)
    def test_the_published_vectors_hold(self, sample: Sample, name: str) -> None:
        make_receiver().verify_webhook_signature(
            WebhookRequest(sample(name), {"x-khipu-signature": f"t={T},s={PUBLISHED[name]}"})
        )

    @pytest.mark.parametrize("name", PUBLISHED)
    def test_the_published_vectors_written_anew_do_not(self, sample: Sample, name: str) -> None:
        again = json.dumps(json.loads(sample(name)), ensure_ascii=False, separators=(",", ":")).encode()
        assert again != sample(name)
        with pytest.raises(InvalidSignature):
            make_receiver().verify_webhook_signature(
                WebhookRequest(again, {"x-khipu-signature": f"t={T},s={PUBLISHED[name]}"})
            )

    @settings(max_examples=100, deadline=None)
    @given(position=st.integers(0, len(BODY) * 8 - 1))
    def test_every_bit_of_the_body_counts(self, position: int) -> None:
        flipped = bytearray(BODY)
        flipped[position // 8] ^= 1 << position % 8
        with pytest.raises(InvalidSignature):
            make_receiver().verify_webhook_signature(WebhookRequest(bytes(flipped), signed().headers))

    @given(position=st.integers(0, 255))
    def test_every_bit_of_the_signature_counts(self, position: int) -> None:
        flipped = bytearray(base64.b64decode(sign()))
        flipped[position // 8] ^= 1 << position % 8
        header = f"t={T},s={base64.b64encode(bytes(flipped)).decode()}"
        with pytest.raises(InvalidSignature):
            make_receiver().verify_webhook_signature(WebhookRequest(BODY, {"x-khipu-signature": header}))

    def test_the_time_is_signed(self) -> None:
        header = f"t={int(T) + 1},s={sign()}"
        with pytest.raises(InvalidSignature):
            make_receiver().verify_webhook_signature(WebhookRequest(BODY, {"x-khipu-signature": header}))

    @pytest.mark.parametrize(
        "header",
        [
            "",
            "t=,s=",
            f"t={T}",
            f"s={sign()}",
            f"t={T};s={sign()}",
            f"t={T},s={sign()[:-1]}",
            f"t={T},s={sign()}=",
            f"t={T},s={base64.b64decode(sign()).hex()}",
            f"t={T},t={T},s={sign()}",
            f"t={T},s={sign()},s={sign()}",
            f"t=+{T},s={sign(t=f'+{T}')}",
            f"t=٣,s={sign(t='٣')}",
            f"t=1e3,s={sign(t='1e3')}",
            f"t={'9' * 40},s={sign(t='9' * 40)}",
            f"t={T},s=ñ",
        ],
    )
    def test_another_form_does_not_hold(self, header: str) -> None:
        with pytest.raises(InvalidSignature):
            make_receiver().verify_webhook_signature(WebhookRequest(BODY, {"x-khipu-signature": header}))

    @pytest.mark.parametrize("header", [f"s={sign()},t={T}", f" t={T} , s={sign()}", f"t={T},s={sign()},v=1"])
    def test_order_spaces_and_further_parts_do_not_matter(self, header: str) -> None:
        make_receiver().verify_webhook_signature(WebhookRequest(BODY, {"x-khipu-signature": header}))

    def test_one_header_is_needed(self) -> None:
        value = f"t={T},s={sign()}"
        for headers in ({}, {"Signature": value}, {"x-khipu-signature": value, "X-Khipu-Signature": value}):
            with pytest.raises(InvalidSignature):
                make_receiver().verify_webhook_signature(WebhookRequest(BODY, headers))

    def test_the_api_key_does_not_sign(self) -> None:
        receiver = make_receiver(api_key="the-api-key")
        with pytest.raises(InvalidSignature):
            receiver.verify_webhook_signature(signed(secret="the-api-key"))


class TestSecret:
    @pytest.mark.parametrize("secret", [None, "", "  ", ",", " , "])
    def test_without_one_nothing_is_let_in(self, secret: str | None) -> None:
        with pytest.raises(ProviderNotConfigured):
            make_receiver(secret).verify_webhook_signature(signed(secret=""))

    def test_while_it_is_changed_both_hold(self) -> None:
        receiver = make_receiver("old, new")
        for secret in ("old", "new"):
            receiver.verify_webhook_signature(signed(secret=secret))
        with pytest.raises(InvalidSignature):
            receiver.verify_webhook_signature(signed(secret="old, new"))

    def test_it_is_in_no_representation(self) -> None:
        settings = KhipuSettings(webhook_secret="s3cret", api_key="s3cret")
        assert "s3cret" not in repr(settings) + str(settings) + repr(KhipuWebhooks(settings))


class TestWindow:
    @pytest.mark.parametrize(
        ("since", "code"),
        [
            (timedelta(0), None),
            (timedelta(seconds=300), None),
            (timedelta(seconds=301), "signature_too_old"),
            (timedelta(minutes=-5), None),
            (timedelta(minutes=-6), "signature_from_the_future"),
        ],
    )
    def test_its_edges(self, since: timedelta, code: str | None) -> None:
        receiver = make_receiver(at=SIGNED_AT + since, webhook_tolerance_seconds=300)
        if code is None:
            receiver.verify_webhook_signature(signed())
            return
        with pytest.raises(InvalidSignature) as caught:
            receiver.verify_webhook_signature(signed())
        assert caught.value.code == code

    def test_two_days_of_repetitions_are_inside(self) -> None:
        make_receiver(at=SIGNED_AT + timedelta(days=2)).verify_webhook_signature(signed())
        with pytest.raises(InvalidSignature):
            make_receiver(at=SIGNED_AT + timedelta(days=3)).verify_webhook_signature(signed())

    def test_a_stranger_is_not_told_about_the_window(self) -> None:
        with pytest.raises(InvalidSignature) as caught:
            make_receiver(at=SIGNED_AT + timedelta(days=9)).verify_webhook_signature(signed(secret="strange"))
        assert caught.value.code == "signature_mismatch"


class TestParsing:
    def body(self, **changes: Any) -> bytes:
        values = {"payment_id": "gqzdy6chjne9", "conciliation_date": "2024-04-18T13:56:54.859Z"}
        return json.dumps({key: value for key, value in (values | changes).items() if value is not ...}).encode()

    def test_the_published_notification(self, sample: Sample) -> None:
        event = make_receiver().parse_webhook(WebhookRequest(sample("webhook"), {}))
        assert (event.provider, event.event_type) == ("khipu", "payment.conciliated")
        assert event.provider_ref == "zfxnocsow6mz"
        assert event.our_reference == "15f836bd-e8a7-4d12-b2f1-56403012b555"
        assert event.occurred_at == datetime(2024, 4, 18, 13, 56, 54, 859_000, tzinfo=UTC)

    def test_a_repetition_is_the_same_event_and_another_conciliation_is_not(self) -> None:
        ids = [
            make_receiver().parse_webhook(WebhookRequest(self.body(**changes), {})).event_id
            for changes in ({}, {"bank": "x"}, {"conciliation_date": "2024-04-19T00:00:00Z"}, {"payment_id": "a"})
        ]
        assert ids[0] == ids[1]
        assert len(set(ids)) == 3

    @pytest.mark.parametrize("date", [..., "", "yesterday", "2024-04-18T13:56:54"])
    def test_without_a_date_it_happened_now(self, date: object) -> None:
        event = make_receiver().parse_webhook(WebhookRequest(self.body(conciliation_date=date), {}))
        assert event.occurred_at == SIGNED_AT

    @pytest.mark.parametrize(
        "changes",
        [
            {"payment_id": ...},
            {"payment_id": ""},
            {"payment_id": 5},
            {"payment_id": "../x"},
            {"payment_id": "a\n"},
            {"payment_id": "x" * 101},
            {"transaction_id": 5},
            {"transaction_id": "x" * 256},
            {"conciliation_date": 1},
            {"conciliation_date": "x" * 61},
        ],
    )
    def test_what_cannot_be_read_is_malformed(self, changes: dict[str, Any]) -> None:
        with pytest.raises(MalformedWebhook):
            make_receiver().parse_webhook(WebhookRequest(self.body(**changes), {}))

    @given(st.binary(max_size=200))
    def test_bytes_of_any_kind_are_malformed_or_read_but_never_crash(self, body: bytes) -> None:
        with pytest.raises(MalformedWebhook):
            make_receiver().parse_webhook(WebhookRequest(body, {}))
