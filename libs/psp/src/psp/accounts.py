"""A merchant's own account at a provider: which keys it has, and an adapter that works with them.

Everything else, addresses and time limits, is the platform's. Of the platform's own keys nothing is ever taken over: a
webhook of an account without a secret of its own is refused, not verified with ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from kernel import Clock, new_id

from psp.account_shape import AccountShape
from psp.provider import PaymentNotFound, PaymentProvider, WebhookReceiver
from psp.registry import ADAPTERS, PROVIDERS
from psp.settings import ProviderSettings

# Nothing is found under it, and nobody is harmed by asking.
_NOBODYS: Final = "aaaaaaaaaaaa"

_MODULES: Final = {
    adapter.name: import_module(f"psp.{folder}.settings") for folder, adapter in zip(PROVIDERS, ADAPTERS, strict=True)
}
SHAPES: Final[Mapping[str, AccountShape]] = {
    name: module.ACCOUNT for name, module in _MODULES.items() if hasattr(module, "ACCOUNT")
}
_BY_NAME: Final[Mapping[str, Any]] = {adapter.name: adapter for adapter in ADAPTERS}


def open_account(clock: Clock, provider: str, settings: ProviderSettings) -> PaymentProvider:
    """Inside a running event loop; close it afterwards. Raises ProviderNotConfigured."""
    adapter: PaymentProvider = _BY_NAME[provider].open(clock, settings)
    return adapter


def receiver_of(provider: str, settings: ProviderSettings) -> WebhookReceiver:
    """What verifies the account's webhooks. Raises ProviderNotConfigured for a key that is no key."""
    receiver: WebhookReceiver = _BY_NAME[provider].receiver(settings)
    return receiver


async def probe(account: PaymentProvider) -> None:
    """One harmless question that only a known key gets an answer to.

    Raises ProviderNotConfigured (the keys are refused), ProviderUnavailable (nobody can tell now), ProviderRejected.
    """
    if account.capabilities.finds_by_reference:
        await account.find_payment(str(new_id()))
        return
    try:
        await account.fetch_payment(_NOBODYS)
    except PaymentNotFound:
        return
