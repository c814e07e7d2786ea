from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel import FixedClock
from psp.colombia.payu.mapping import signature
from psp.colombia.payu.settings import Digest, PayuSettings
from psp.colombia.payu.webhook import PayuWebhooks, new_value
from psp.provider import InvalidSignature, MalformedWebhook, ProviderNotConfigured, WebhookRequest

# Published by PayU for its sandbox.
API_KEY = "4Vj8eK4rloUd272L48hsrarnUA"
REFERENCE = "0198c2d4-0000-7000-8000-000000000000"
Sample = Callable[[str], bytes]


def make_receiver(**settings: Any) -> PayuWebhooks:
    return PayuWebhooks(PayuSettings(**{"api_key": API_KEY, **settings}), FixedClock())


def make_fields(**changes: str) -> dict[str, str]:
    fields = {
        "merchant_id": "508029",
        "reference_sale": REFERENCE,
        "value": "65000.00",
        "currency": "COP",
        "state_pol": "4",
        "transaction_id": "f5e668f1-7ecc-4b83-a4d1-0aaa68260862",
        "transaction_date": "2026-01-15 13:00:00",
    }
    return fields | changes


def make_request(fields: dict[str, str], *, key: str = API_KEY, digest: str = "md5") -> WebhookRequest:
    text = "~".join(
        [
            key,
            fields["merchant_id"],
            fields["reference_sale"],
            new_value(fields["value"]) or fields["value"],
            fields["currency"],
            fields["state_pol"],
        ]
    )
    sign = hashlib.new(digest, text.encode(), usedforsecurity=False).hexdigest()
    return WebhookRequest(urlencode({"sign": sign, **fields}).encode(), {})


class TestVectors:
    """../data: published by PayU where marked, else by its documented formula."""

    @pytest.mark.parametrize(
        ("reference", "value", "currency", "state", "sign"),
        [
            # Published; PayU prints it beside state_pol 6.
            ("TestPayU04", "150.00", "USD", "4", "b607a2c2fa100e0947b206d41864fb86"),
            ("TestPayU04", "150.00", "USD", "4", "3d51fb838e5e15a5353ff4d614fb415e0fa0c22d"),
            (
                *("TestPayU04", "150.00", "USD", "4"),
                "0e208a71d6bca2d57082b4440672b18a57c794b108099c95dd393506cbd5657e",
            ),
            ("TestPayU04", "150.00", "USD", "6", "df67936f918887b2aa31688a77a10fe1"),
            ("TestPayU04", "150.00", "USD", "6", "09047ed8e2a47c34502109e1c932f462cf4715af"),
            (
                *("TestPayU04", "150.00", "USD", "6"),
                "d2b252149fda9198fc8221fa7ca6a094e576bffa257ddb6e1790aa38c3e17ed2",
            ),
            *(
                ("PRODUCT_TEST_2021-06-23T19:59:43.229Z", "65000.00", "COP", state, sign)
                for state, sign in (
                    ("4", "e0fcce54fa8c1139668a2bcbc4eea995"),
                    ("6", "4d8454980074778cb9b362e6a1474ad8"),
                    ("5", "01f08ddee85908c93c71a2c030a80649"),
                )
            ),
        ],
    )
    def test_confirmations(self, reference: str, value: str, currency: str, state: str, sign: str) -> None:
        fields = make_fields(reference_sale=reference, value=value, currency=currency, state_pol=state)
        make_receiver().verify_webhook_signature(WebhookRequest(urlencode({"sign": sign, **fields}).encode(), {}))

    def test_the_published_row_does_not_hold_as_printed(self) -> None:
        fields = make_fields(reference_sale="TestPayU04", value="150.00", currency="USD", state_pol="6")
        body = urlencode({"sign": "b607a2c2fa100e0947b206d41864fb86", **fields}).encode()
        with pytest.raises(InvalidSignature):
            make_receiver().verify_webhook_signature(WebhookRequest(body, {}))

    @pytest.mark.parametrize(
        ("parts", "digest", "expected"),
        [
            (("508029", "TestPayU", "20000", "COP"), Digest.MD5, "7ee7cf808ce6a39b17481c54f2c57acc"),
            (("508029", "TestPayU", "20000", "COP"), Digest.SHA1, "fa890d3f94e12b5cdb62e8771453b99b78e7ccdc"),
            (
                ("508029", "TestPayU", "20000", "COP"),
                Digest.SHA256,
                "af3899a22336b79db46006491d15813158826f944599bf3bf601e2327f898022",
            ),
            (
                ("508029", "PRODUCT_TEST_2021-06-23T19:59:43.229Z", "65000", "COP"),
                Digest.MD5,
                "1d6c33aed575c4974ad5c0be7c6a1c87",
            ),
        ],
    )
    def test_requests(self, parts: tuple[str, ...], digest: Digest, expected: str) -> None:
        """Published (PU-DOC): payment form and PSE."""
        assert signature(API_KEY, list(parts), digest) == expected


class TestRounding:
    @pytest.mark.parametrize(
        ("value", "signed"),
        [
            ("150.00", "150.0"),
            ("150.26", "150.26"),
            ("150.20", "150.2"),
            ("150.05", "150.05"),
            ("150.5", "150.5"),
            ("0.10", "0.1"),
            ("100", None),
            ("1e3", None),
            ("1.005", None),
            ("-1.00", None),
            ("", None),
            ("١.00", None),
        ],
    )
    def test_of_a_confirmation(self, value: str, signed: str | None) -> None:
        assert new_value(value) == signed

    @given(st.integers(0, 10**14))
    def test_is_the_same_amount(self, minor: int) -> None:
        value = f"{minor // 100}.{minor % 100:02d}"
        rounded = new_value(value)
        assert rounded is not None
        assert float(rounded) == float(value)
        assert rounded.endswith("0") == (minor % 100 == 0)
        make_receiver().verify_webhook_signature(make_request(make_fields(value=value)))


class TestSignature:
    @pytest.mark.parametrize("digest", ["md5", "sha1", "sha256"])
    def test_every_digest_holds_unless_it_is_left_out(self, digest: str) -> None:
        request = make_request(make_fields(), digest=digest)
        make_receiver().verify_webhook_signature(request)
        others = {"md5", "sha1", "sha256"} - {digest}
        with pytest.raises(InvalidSignature):
            make_receiver(webhook_digests=",".join(others)).verify_webhook_signature(request)

    @pytest.mark.parametrize("sign", ["", "0", "0" * 31, "0" * 33, "g" * 32, "A" * 32, "0" * 128, "ñ" * 32])
    def test_other_forms_do_not_hold(self, sign: str) -> None:
        with pytest.raises(InvalidSignature):
            make_receiver().verify_webhook_signature(WebhookRequest(urlencode(make_fields(sign=sign)).encode(), {}))

    def test_upper_case_does_not_hold(self) -> None:
        body = make_request(make_fields()).body
        sign = body[5:37]
        with pytest.raises(InvalidSignature):
            make_receiver().verify_webhook_signature(WebhookRequest(body.replace(sign, sign.upper()), {}))

    def test_one_field_cannot_pose_as_two(self) -> None:
        honest = make_request(make_fields())
        posing = make_fields(merchant_id="508029~" + REFERENCE, reference_sale="65000.0", value="65000.00")
        body = urlencode({"sign": honest.body[5:37].decode(), **posing}).encode()
        with pytest.raises(InvalidSignature):
            make_receiver().verify_webhook_signature(WebhookRequest(body, {}))

    @pytest.mark.parametrize("name", ["sign", "merchant_id", "reference_sale", "value", "currency", "state_pol"])
    def test_a_field_given_twice_does_not_hold(self, name: str) -> None:
        request = make_request(make_fields())
        for body in (request.body + f"&{name}=".encode(), f"{name}=1&".encode() + request.body):
            with pytest.raises(InvalidSignature):
                make_receiver().verify_webhook_signature(WebhookRequest(body, {}))

    def test_the_key_before_holds_while_it_is_changed(self) -> None:
        request = make_request(make_fields(), key="the-old-one")
        with pytest.raises(InvalidSignature):
            make_receiver().verify_webhook_signature(request)
        make_receiver(previous_api_key="the-old-one").verify_webhook_signature(request)

    def test_without_a_key_nothing_holds(self) -> None:
        with pytest.raises(ProviderNotConfigured):
            make_receiver(api_key=" ").verify_webhook_signature(make_request(make_fields()))

    def test_what_is_not_signed_may_be_in_any_encoding(self) -> None:
        request = make_request(make_fields())
        for tail in (b"&description=caf%E9", b"&description=caf\xe9", "&description=café".encode()):
            make_receiver().verify_webhook_signature(WebhookRequest(request.body + tail, {}))

    def test_too_many_fields_are_no_form(self) -> None:
        body = make_request(make_fields()).body + b"&x=1" * 1000
        with pytest.raises(InvalidSignature):
            make_receiver().verify_webhook_signature(WebhookRequest(body, {}))

    @given(st.binary(max_size=300))
    def test_noise_is_refused_and_breaks_nothing(self, body: bytes) -> None:
        with pytest.raises(InvalidSignature):
            make_receiver().verify_webhook_signature(WebhookRequest(body, {}))
        with pytest.raises(MalformedWebhook):
            make_receiver().parse_webhook(WebhookRequest(body, {}))


class TestReading:
    def test_the_published_example(self, sample: Sample) -> None:
        """PU-DOC, confirmation of a declined card. Its sign is of another key: it shows the layout."""
        request = WebhookRequest(sample("confirmation_declined"), {})
        event = make_receiver().parse_webhook(request)
        assert (event.event_type, event.our_reference) == ("transaction.declined", "2015-05-27 13:04:37")
        assert event.provider_ref is None
        assert event.occurred_at == datetime(2015, 5, 27, 18, 7, 35, tzinfo=UTC)
        with pytest.raises(InvalidSignature):
            make_receiver().verify_webhook_signature(request)

    @pytest.mark.parametrize(
        ("state", "event_type"),
        [
            ("4", "transaction.approved"),
            ("5", "transaction.expired"),
            ("6", "transaction.declined"),
            ("7", "transaction.other"),
            ("99", "transaction.other"),
        ],
    )
    def test_states(self, state: str, event_type: str) -> None:
        assert make_receiver().parse_webhook(make_request(make_fields(state_pol=state))).event_type == event_type

    def test_identity_is_made_of_what_is_signed(self) -> None:
        """transaction_id is not: with it, whoever holds one sign could spend the identity of another event."""
        first = make_receiver().parse_webhook(make_request(make_fields()))
        same = make_receiver().parse_webhook(make_request(make_fields(transaction_id="another", reference_pol="1")))
        assert first.event_id == same.event_id
        for changes in ({"state_pol": "6"}, {"value": "1.00"}, {"currency": "USD"}, {"reference_sale": "x"}):
            other = make_receiver().parse_webhook(make_request(make_fields(**changes)))
            assert other.event_id != first.event_id

    @pytest.mark.parametrize("date", ["", "yesterday", "2026-01-15T13:00:00Z", "0000-00-00 00:00:00"])
    def test_a_date_that_cannot_be_read_is_now(self, date: str) -> None:
        event = make_receiver().parse_webhook(make_request(make_fields(transaction_date=date)))
        assert event.occurred_at == FixedClock().now()

    def test_secrets_are_in_no_representation(self) -> None:
        receiver = make_receiver()
        assert API_KEY not in repr(receiver) + repr(PayuSettings(api_key=API_KEY, api_login="l0gin"))  # type: ignore[arg-type]
