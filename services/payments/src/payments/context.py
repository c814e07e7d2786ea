"""What the use cases of the payments service work with."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.auth import Access
from chassis.crypto import BlindIndex, FieldCipher
from chassis.database import Database
from chassis.database.idempotency import Idempotency
from chassis.directory import Directory
from kernel import Clock
from psp.registry import ProviderRegistry

from payments.accounts.providers import AccountProviders
from payments.intents.listing import PaymentLists
from payments.methods.banks import BankLists
from payments.settings import PaymentsSettings


@dataclass(frozen=True, slots=True)
class PaymentsContext:
    settings: PaymentsSettings
    public_url: str
    database: Database
    clock: Clock
    cipher: FieldCipher
    blind_index: BlindIndex
    access: Access
    directory: Directory
    idempotency: Idempotency
    providers: ProviderRegistry
    lists: PaymentLists
    banks: BankLists
    accounts: AccountProviders
