"""Which provider serves which country and method. A new provider is a name in PROVIDERS, and nothing else here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Final, Self

from kernel import Clock, Country

from psp.capabilities import Capabilities
from psp.pace import AT_WILL, Pace, Paced
from psp.provider import (
    Adapter,
    MethodNotSupported,
    PaymentMethod,
    PaymentProvider,
    ProviderNotConfigured,
    WebhookReceiver,
)

# Folders of this package. Of two that serve the same country and method, the first whose keys are set.
PROVIDERS: Final = ("mexico.conekta", "argentina.mercadopago", "chile.khipu", "colombia.payu")


def _adapter(folder: str) -> Adapter:
    adapter: Adapter = import_module(f"psp.{folder}.adapter").ADAPTER
    return adapter


ADAPTERS: Final[tuple[Adapter, ...]] = tuple(_adapter(folder) for folder in PROVIDERS)


class ProviderRegistry:
    def __init__(self, providers: Iterable[PaymentProvider]) -> None:
        self._providers = {provider.name: provider for provider in providers}
        # Asked once: it takes longer than the rest of what a payment asks of the registry.
        self._paced = {name: provider for name, provider in self._providers.items() if isinstance(provider, Paced)}

    @classmethod
    def open(cls, clock: Clock) -> Self:
        """Every provider whose keys are set. Inside a running event loop; close it afterwards."""
        providers = []
        for adapter in ADAPTERS:
            try:
                providers.append(adapter.open(clock))
            except ProviderNotConfigured as error:
                if error.code != "api_key_missing":
                    raise
        return cls(providers)

    async def close(self) -> None:
        for provider in self._providers.values():
            await provider.close()

    def all(self) -> tuple[PaymentProvider, ...]:
        """Those whose keys are set."""
        return tuple(self._providers.values())

    def named(self, name: str) -> PaymentProvider:
        """Raises ProviderNotConfigured for a provider that is unknown or has no keys."""
        provider = self._providers.get(name)
        if provider is None:
            raise ProviderNotConfigured(name, "provider_not_configured")
        return provider

    def pace_of(self, name: str) -> Pace:
        """At will, where the provider does not say, or is not in use here."""
        provider = self._paced.get(name)
        return AT_WILL if provider is None else provider.pace

    def choose(self, country: Country, method: PaymentMethod) -> PaymentProvider:
        """Raises MethodNotSupported where no provider has it, ProviderNotConfigured where one would with its keys."""
        able = [
            adapter for adapter in ADAPTERS if adapter.country is country and method in adapter.capabilities.methods
        ]
        for adapter in able:
            if adapter.name in self._providers:
                return self._providers[adapter.name]
        if able:
            raise ProviderNotConfigured(able[0].name, "provider_not_configured")
        raise MethodNotSupported(country.value, "method_not_supported", f"no provider offers {method} in {country}")


def webhook_receivers() -> Mapping[str, WebhookReceiver]:
    """By provider name. One without a key is there and refuses every webhook with ProviderNotConfigured."""
    return {adapter.name: adapter.receiver() for adapter in ADAPTERS}


def capability_matrix() -> tuple[Capabilities, ...]:
    return tuple(adapter.capabilities for adapter in ADAPTERS)
