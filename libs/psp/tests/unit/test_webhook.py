from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psp.mexico.conekta.settings import ConektaSettings
from psp.mexico.conekta.webhook import ConektaWebhooks
from psp.provider import InvalidSignature, MalformedWebhook, ProviderNotConfigured, WebhookRequest

BODY = '{"id":"evt_1","type":"order.paid","created_at":1677606189,"data":{"object":{"note":"ñ"}}}'.encode()


def pem(key: Any) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def sign(key: RSAPrivateKey, body: bytes, scheme: Any = None, digest: Any = None) -> bytes:
    return key.sign(body, scheme or padding.PKCS1v15(), digest or hashes.SHA256())


def digest_header(signature: bytes) -> dict[str, str]:
    return {"Digest": base64.b64encode(signature).decode()}


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def receiver(key: RSAPrivateKey) -> ConektaWebhooks:
    return ConektaWebhooks(ConektaSettings(webhook_public_key=pem(key)))


class TestSignature:
    @pytest.mark.parametrize("name", ["DIGEST", "Digest", "digest"])
    def test_holds_whatever_the_headers_case(self, receiver: ConektaWebhooks, key: RSAPrivateKey, name: str) -> None:
        receiver.verify_webhook_signature(WebhookRequest(BODY, {name: digest_header(sign(key, BODY))["Digest"]}))

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
    @given(position=st.integers(0, len(BODY) * 8 - 1))
    def test_every_bit_of_the_body_counts(self, receiver: ConektaWebhooks, key: RSAPrivateKey, position: int) -> None:
        flipped = bytearray(BODY)
        flipped[position // 8] ^= 1 << position % 8
        with pytest.raises(InvalidSignature):
            receiver.verify_webhook_signature(WebhookRequest(bytes(flipped), digest_header(sign(key, BODY))))

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
    @given(position=st.integers(0, 2047))
    def test_every_bit_of_the_signature_counts(
        self, receiver: ConektaWebhooks, key: RSAPrivateKey, position: int
    ) -> None:
        flipped = bytearray(sign(key, BODY))
        flipped[position // 8] ^= 1 << position % 8
        with pytest.raises(InvalidSignature):
            receiver.verify_webhook_signature(WebhookRequest(BODY, digest_header(bytes(flipped))))

    def test_another_encoding_of_the_same_json_is_another_body(
        self, receiver: ConektaWebhooks, key: RSAPrivateKey
    ) -> None:
        again = json.dumps(json.loads(BODY)).encode()
        with pytest.raises(InvalidSignature):
            receiver.verify_webhook_signature(WebhookRequest(again, digest_header(sign(key, BODY))))

    def test_another_key_does_not_hold(self, receiver: ConektaWebhooks) -> None:
        with pytest.raises(InvalidSignature):
            receiver.verify_webhook_signature(
                WebhookRequest(BODY, digest_header(sign(generate_private_key(65537, 2048), BODY)))
            )

    def test_another_padding_or_hash_does_not_hold(self, receiver: ConektaWebhooks, key: RSAPrivateKey) -> None:
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        for signature in (sign(key, BODY, pss), sign(key, BODY, digest=hashes.SHA1())):
            with pytest.raises(InvalidSignature):
                receiver.verify_webhook_signature(WebhookRequest(BODY, digest_header(signature)))

    def test_hexadecimal_url_safe_and_prefixed_forms_do_not_hold(
        self, receiver: ConektaWebhooks, key: RSAPrivateKey
    ) -> None:
        signature = sign(key, BODY)
        plain = base64.b64encode(signature).decode()
        forms = [signature.hex(), f"SHA-256={plain}", plain + "=", plain[:-4], "", "ñ", " ", "=" * 344]
        if set(plain) & set("+/"):
            forms.append(base64.urlsafe_b64encode(signature).decode())
        for form in forms:
            with pytest.raises(InvalidSignature):
                receiver.verify_webhook_signature(WebhookRequest(BODY, {"DIGEST": form}))

    @pytest.mark.parametrize("headers", [{}, {"Signature": "x"}, {"DIGEST": "AA==", "digest": "AA=="}])
    def test_one_signature_is_needed(self, receiver: ConektaWebhooks, headers: dict[str, str]) -> None:
        with pytest.raises(InvalidSignature):
            receiver.verify_webhook_signature(WebhookRequest(BODY, headers))

    def test_during_a_rotation_both_keys_hold(self, key: RSAPrivateKey) -> None:
        following = generate_private_key(65537, 2048)
        receiver = ConektaWebhooks(ConektaSettings(webhook_public_key=pem(key) + pem(following)))
        for signer in (key, following):
            receiver.verify_webhook_signature(WebhookRequest(BODY, digest_header(sign(signer, BODY))))


class TestKey:
    @pytest.mark.parametrize("value", [None, "", "  "])
    def test_without_a_key_nothing_is_let_in(self, key: RSAPrivateKey, value: str | None) -> None:
        receiver = ConektaWebhooks(ConektaSettings(webhook_public_key=value))
        with pytest.raises(ProviderNotConfigured):
            receiver.verify_webhook_signature(WebhookRequest(BODY, digest_header(sign(key, BODY))))

    def test_newlines_may_be_written_out(self, key: RSAPrivateKey) -> None:
        receiver = ConektaWebhooks(ConektaSettings(webhook_public_key=pem(key).replace("\n", "\\n")))
        receiver.verify_webhook_signature(WebhookRequest(BODY, digest_header(sign(key, BODY))))

    def test_an_unusable_key_is_refused_at_once(self) -> None:
        short = generate_private_key(65537, 1024)
        unusable = ["nonsense", pem(short), pem(ec.generate_private_key(ec.SECP256R1()))]
        unusable.append("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----")
        for value in unusable:
            with pytest.raises(ProviderNotConfigured):
                ConektaWebhooks(ConektaSettings(webhook_public_key=value))


class TestParsing:
    def event(self, **changes: Any) -> bytes:
        values = {"id": "evt_1", "type": "order.paid", "created_at": 1677606189, "data": {}}
        return json.dumps(values | changes).encode()

    def test_an_order_event(self, receiver: ConektaWebhooks) -> None:
        order = {"object": "order", "id": "ord_1", "metadata": {"cobro_payment_id": "ours"}, "amount": 1}
        event = receiver.parse_webhook(WebhookRequest(self.event(data={"object": order}), {}))
        assert (event.provider, event.event_id, event.event_type) == ("conekta", "evt_1", "order.paid")
        assert (event.provider_ref, event.our_reference) == ("ord_1", "ours")
        assert event.occurred_at == datetime.fromtimestamp(1677606189, UTC)

    def test_a_charge_event_leads_to_its_order(self, receiver: ConektaWebhooks) -> None:
        charge = {"object": "charge", "id": "6408", "order_id": "ord_1", "reference_id": "ours"}
        event = receiver.parse_webhook(WebhookRequest(self.event(type="charge.paid", data={"object": charge}), {}))
        assert (event.provider_ref, event.our_reference) == ("ord_1", "ours")

    def test_a_ping_is_about_no_payment(self, receiver: ConektaWebhooks, sample: Callable[[str], bytes]) -> None:
        event = receiver.parse_webhook(WebhookRequest(sample("event_ping"), {}))
        assert (event.event_type, event.provider_ref, event.our_reference) == ("webhook_ping", None, None)

    @pytest.mark.parametrize("content", ["text", 3, None, [], {"object": "payout", "id": 7}, {"id": "x"}])
    def test_topics_we_do_not_follow_are_read_without_a_payment(
        self, receiver: ConektaWebhooks, content: object
    ) -> None:
        assert receiver.parse_webhook(WebhookRequest(self.event(data={"object": content}), {})).provider_ref is None

    @pytest.mark.parametrize(
        "changes",
        [
            {"id": ""},
            {"id": None},
            {"id": 5},
            {"id": "x" * 201},
            {"type": None},
            {"created_at": "now"},
            {"created_at": -1},
            {"created_at": 10**20},
            {"created_at": True},
            {"data": []},
            {"data": {"object": {"object": "order"}}},
            {"data": {"object": {"object": "order", "id": 7}}},
        ],
    )
    def test_what_cannot_be_read_is_malformed(self, receiver: ConektaWebhooks, changes: dict[str, Any]) -> None:
        with pytest.raises(MalformedWebhook):
            receiver.parse_webhook(WebhookRequest(self.event(**changes), {}))

    @given(st.binary(max_size=200))
    def test_bytes_of_any_kind_are_malformed_or_read_but_never_crash(self, body: bytes) -> None:
        receiver = ConektaWebhooks(ConektaSettings(webhook_public_key=None))
        with pytest.raises(MalformedWebhook):
            receiver.parse_webhook(WebhookRequest(body, {}))
