"""The adapter that a payment is made, read and refunded with: the platform's, or one of a business's own account.

A payment remembers its account, and is never asked about with another one's keys: the other would say that there is no
such payment, and be believed.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast
from uuid import UUID

import orjson
from chassis.crypto import FieldCipher
from chassis.database import Database
from chassis.directory import Business
from kernel import Clock
from psp.account_shape import UnusableAccount
from psp.accounts import SHAPES, open_account, receiver_of
from psp.provider import PaymentMethod, PaymentProvider, ProviderNotConfigured, WebhookReceiver
from psp.registry import ADAPTERS, ProviderRegistry
from psp.settings import ProviderSettings

from payments.accounts import repository
from payments.accounts.models import Account, place
from payments.intents.models import Payment

# Adapters of accounts that a process keeps open, each with its connections.
MOST_OPEN: Final = 64
# Businesses whose present accounts a process remembers, nearly all of which have none.
_REMEMBERED: Final = 10_000
# Longer than any call takes: an adapter that was put away may still be in the middle of one.
_LINGER: Final = timedelta(seconds=180)

Credentials = Mapping[str, str]
"""By the names of the provider's settings."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """account_id: None for the platform's. among: the accounts it was chosen from, as `repository.AS_CHOSEN_SQL` checks
    them."""

    provider: PaymentProvider
    account_id: UUID | None
    among: str


class AccountProviders:
    def __init__(
        self,
        database: Database,
        cipher: FieldCipher,
        clock: Clock,
        platform: ProviderRegistry,
        *,
        public_url: str,
        most_open: int = MOST_OPEN,
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._platform = platform
        self._public_url = public_url
        self._most_open = most_open
        self._open: OrderedDict[tuple[UUID, int], PaymentProvider] = OrderedDict()
        self._remembered: OrderedDict[UUID, list[Account]] = OrderedDict()
        self._put_away: list[tuple[datetime, PaymentProvider]] = []
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def open_accounts(self) -> int:
        return len(self._open)

    async def choose(self, business: Business, method: PaymentMethod, *, from_memory: bool = False) -> Chosen:
        """For a new payment: the business's own account where it has one that offers the method.

        from_memory: by what this process last saw of the business's accounts. Whoever asks for that makes sure, in the
        statement that writes the payment, that they are still the same.

        Raises MethodNotSupported, ProviderNotConfigured.
        """
        present = self._remembered.get(business.id) if from_memory else None
        if present is None:
            present = await repository.present(self._database, business.id)
            self._remember(business.id, present)
        among = repository.as_chosen(present)
        for account in present:
            if any(
                adapter.name == account.provider
                and adapter.country is business.country
                and method in adapter.capabilities.methods
                for adapter in ADAPTERS
            ):
                return Chosen(self.adapter(account), account.id, among)
        return Chosen(self._platform.choose(business.country, method), None, among)

    async def changed_since(self, business_id: UUID, among: str) -> bool:
        """Whether the business's accounts are others than those a choice was made from."""
        present = await repository.present(self._database, business_id)
        self._remember(business_id, present)
        return repository.as_chosen(present) != among

    def _remember(self, business_id: UUID, present: list[Account]) -> None:
        self._remembered[business_id] = present
        self._remembered.move_to_end(business_id)
        if len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)

    async def of(self, payment: Payment) -> PaymentProvider:
        """That which the payment was made with. Raises ProviderNotConfigured."""
        if payment.account_id is None:
            return self._platform.named(payment.provider)
        account = await repository.find(self._database, payment.account_id)
        if account is None:
            raise ProviderNotConfigured(payment.provider, "account_gone")
        return self.adapter(account)

    def adapter(self, account: Account) -> PaymentProvider:
        """One per account and version of its keys, the least used closed when there are too many.

        Raises ProviderNotConfigured.
        """
        key = (account.id, account.version)
        found = self._open.get(key)
        if found is not None:
            self._open.move_to_end(key)
            return found
        settings = self.settings_of(account, self.credentials(account))
        opened = self._open[key] = open_account(self._clock, account.provider, settings)
        outdated = [other for other in self._open if other[0] == account.id and other[1] < account.version]
        while len(self._open) - len(outdated) > self._most_open:
            outdated.append(next(other for other in self._open if other not in outdated))
        self._retire([self._open.pop(other) for other in outdated])
        return opened

    def receivers(self, account: Account) -> list[WebhookReceiver]:
        """What may have signed its webhooks: its keys, and for a while those it had before."""
        known = [self.credentials(account)]
        until = account.earlier_until
        if account.earlier is not None and until is not None and self._clock.now() < until:
            known.append(self._unsealed(account, "earlier", account.earlier))
        return [receiver_of(account.provider, self.settings_of(account, one)) for one in known]

    def credentials(self, account: Account) -> Credentials:
        return self._unsealed(account, "credentials", account.credentials)

    def settings_of(self, account: Account, credentials: Credentials) -> ProviderSettings:
        """Raises ProviderNotConfigured for what was saved under other rules than those of today."""
        try:
            return self.settings_for(account.provider, credentials, account.environment == "LIVE", account.key)
        except (UnusableAccount, KeyError):
            raise ProviderNotConfigured(account.provider, "account_unusable") from None

    def settings_for(self, provider: str, credentials: Credentials, live: bool, key: str) -> ProviderSettings:
        """Raises UnusableAccount; KeyError for a provider that has no accounts of businesses."""
        return SHAPES[provider].settings_of(credentials, live=live, webhook_url=self.webhook_url(provider, key))

    def webhook_url(self, provider: str, key: str) -> str:
        return f"{self._public_url}/webhooks/{provider}/{key}"

    async def close(self) -> None:
        for task in self._closing:
            task.cancel()
        for provider in (*self._open.values(), *(provider for _, provider in self._put_away)):
            await provider.close()

    def _unsealed(self, account: Account, column: str, sealed: str) -> Credentials:
        opened = orjson.loads(self._cipher.decrypt_bytes(sealed, context=place(column, account.id)))
        return cast("dict[str, str]", opened)

    def _retire(self, providers: list[PaymentProvider]) -> None:
        now = self._clock.now()
        gone = [provider for at, provider in self._put_away if now - at > _LINGER]
        self._put_away = [(at, provider) for at, provider in self._put_away if now - at <= _LINGER]
        self._put_away += [(now, provider) for provider in providers]
        for provider in gone:
            task = asyncio.create_task(provider.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
