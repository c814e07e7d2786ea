from __future__ import annotations

import os
from pathlib import Path

import psp
import pytest
from kernel import Country, SystemClock
from psp.mexico.conekta.adapter import ConektaAdapter
from psp.mexico.conekta.settings import ConektaSettings
from psp.provider import MethodNotSupported, PaymentMethod, ProviderNotConfigured, WebhookRequest
from psp.registry import ADAPTERS, ProviderRegistry, webhook_receivers

MODULES = {"__init__.py", "adapter.py", "client.py", "mapping.py", "settings.py", "webhook.py", "wire.py"}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    prefixes = tuple(f"{adapter.name.upper()}_" for adapter in ADAPTERS)
    for name in os.environ:
        if name.startswith(prefixes):
            monkeypatch.delenv(name)


async def test_chooses_by_country_and_method(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONEKTA_API_KEY", "key_test")
    registry = ProviderRegistry.open(SystemClock())
    try:
        assert registry.choose(Country.MX, PaymentMethod.QR_DYNAMIC).name == "conekta"
        assert registry.named("conekta").name == "conekta"
        with pytest.raises(MethodNotSupported):
            registry.choose(Country.MX, PaymentMethod.QR_STATIC)
    finally:
        await registry.close()


async def test_without_keys_a_provider_is_not_there() -> None:
    registry = ProviderRegistry.open(SystemClock())
    with pytest.raises(ProviderNotConfigured):
        registry.choose(Country.MX, PaymentMethod.QR_DYNAMIC)
    with pytest.raises(ProviderNotConfigured):
        registry.named("conekta")
    await registry.close()


@pytest.mark.parametrize("name", [adapter.name for adapter in ADAPTERS])
def test_without_keys_webhooks_are_refused(name: str) -> None:
    with pytest.raises(ProviderNotConfigured):
        webhook_receivers()[name].verify_webhook_signature(WebhookRequest(b"{}", {"DIGEST": "AA=="}))


async def test_secrets_are_in_no_representation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONEKTA_API_KEY", "key_s3cret")
    adapter = ConektaAdapter.open(SystemClock())
    assert "s3cret" not in repr(ConektaSettings()) + repr(adapter) + repr(vars(adapter))
    await adapter.close()


def test_names_are_unique() -> None:
    names = [adapter.name for adapter in ADAPTERS]
    assert len(set(names)) == len(names)


def test_every_provider_folder_holds_the_same_modules() -> None:
    root = Path(psp.__file__).parent
    folders = [path.parent for path in root.glob("*/*/adapter.py")]
    assert len(folders) == len(ADAPTERS)
    for folder in folders:
        assert {path.name for path in folder.glob("*.py")} == MODULES
