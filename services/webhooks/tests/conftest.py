import base64
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import pytest
from chassis.tenancy import everyone
from chassis.testing.service import ServiceUnderTest, running_service
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from kernel import new_id
from psp.mexico.conekta.mapping import REFERENCE_KEY
from webhooks.app import MIGRATIONS, build
from webhooks.settings import WebhooksSettings


class Conekta:
    """Signs notifications as Conekta does: RSA PKCS#1 v1.5 with SHA-256 over the raw body, in DIGEST."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def public_pem(self) -> str:
        pem = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        return self._key.public_key().public_bytes(*pem).decode()

    def sign(self, body: bytes) -> str:
        return base64.b64encode(self._key.sign(body, padding.PKCS1v15(), hashes.SHA256())).decode()

    def notification(self, *, event_id: str | None = None, reference: UUID | None = None, **order: Any) -> bytes:
        content = {
            "object": "order",
            "id": "ord_1",
            "metadata": {REFERENCE_KEY: str(reference or new_id())},
            **order,
        }
        event = {
            "id": event_id or new_id().hex[:24],
            "object": "event",
            "type": "order.paid",
            "livemode": False,
            "created_at": 1768500000,
            "data": {"object": content},
        }
        return json.dumps(event).encode()


@pytest.fixture(autouse=True)
def as_everyone() -> Iterator[None]:
    """For jobs that a test runs, and its looks at tables. Requests, events and calls have scopes of their own."""
    with everyone():
        yield


@pytest.fixture(scope="session")
def conekta() -> Conekta:
    return Conekta()


@pytest.fixture(scope="session")
async def webhooks(conekta: Conekta) -> AsyncIterator[ServiceUnderTest]:
    environment = {
        "CONEKTA_WEBHOOK_PUBLIC_KEY": conekta.public_pem,
        "CONEKTA_API_KEY": "key_test",
        "MERCADOPAGO_WEBHOOK_SECRET": "secret_test",
        "WEBHOOKS_ENDPOINT_LOOPBACK": "true",
    }
    # The provider's settings are read when the service is built.
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        async with running_service("webhooks", WebhooksSettings, build, migrations=MIGRATIONS) as service:
            yield service
