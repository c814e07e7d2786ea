"""Who is written to: what the owners of their data know of them, asked for when it is needed and not kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from chassis.directory import Directory
from chassis.localization import Language
from chassis.rpc.client import call
from contracts.auth.v1 import directory_pb2, directory_pb2_grpc
from contracts.billing.v1 import invoices_pb2, invoices_pb2_grpc
from contracts.sales.v1 import sales_pb2, sales_pb2_grpc
from kernel import NotFound

from notifications.channels.port import Channel

_PHONE = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
# What must hold for a provider to try at all; whether it exists, only the provider can say.
_PLAIN = r"[^@\s\x00-\x1f\x7f<>,;\"]"
_EMAIL = re.compile(rf"{_PLAIN}{{1,64}}@{_PLAIN}{{1,190}}\.{_PLAIN}{{2,63}}")
_TIMEOUT = 3


@dataclass(frozen=True, slots=True)
class Contact:
    """phone: E.164; either may be empty."""

    phone: str = field(default="", repr=False)
    email: str = field(default="", repr=False)

    def by_channel(self) -> Mapping[Channel, str]:
        """The recipients that can be written to, normalised, e-mail first."""
        found = {}
        if _EMAIL.fullmatch(self.email.strip()):
            found[Channel.EMAIL] = self.email.strip()
        if _PHONE.fullmatch(self.phone.strip()):
            found[Channel.SMS] = self.phone.strip()
        return found


@dataclass(frozen=True, slots=True)
class Account:
    """A user of Cobro, by what it takes to write to them."""

    contact: Contact
    language: Language


class Contacts:
    """Raises Unavailable when an owner cannot be asked; whoever is not there has an empty contact."""

    def __init__(
        self,
        directory: Directory,
        users: directory_pb2_grpc.DirectoryStub,
        sales: sales_pb2_grpc.SalesStub,
        invoices: invoices_pb2_grpc.InvoicesStub,
    ) -> None:
        self._directory = directory
        self._users = users
        self._sales = sales
        self._invoices = invoices

    async def buyer(self, business_id: UUID, sale_id: UUID) -> Contact:
        request = sales_pb2.GetSaleRequest(business_id=str(business_id), sale_id=str(sale_id))
        try:
            sale = await call("sales", self._sales.GetSale(request, timeout=_TIMEOUT))
        except NotFound:
            return Contact()
        return Contact(sale.customer.phone, sale.customer.email)

    async def merchant(self, business_id: UUID) -> Contact:
        try:
            profile = await self._directory.profile(business_id)
        except NotFound:
            return Contact()
        return Contact(profile.phone, profile.email)

    async def account(self, user_id: UUID) -> Account:
        request = directory_pb2.GetUserRequest(user_id=str(user_id))
        try:
            user = await call("auth", self._users.GetUser(request, timeout=_TIMEOUT))
        except NotFound:
            return Account(Contact(), Language.ES)
        return Account(Contact(user.phone, user.email), language_of(user.language))

    async def receipt_link(self, business_id: UUID, sale_id: UUID) -> str:
        """Raises NotFound while billing has no document of the sale."""
        request = invoices_pb2.GetInvoiceOfSaleRequest(business_id=str(business_id), sale_id=str(sale_id))
        invoice = await call("billing", self._invoices.GetInvoiceOfSale(request, timeout=_TIMEOUT))
        return str(invoice.receipt_url)

    async def branch_name(self, business_id: UUID, branch_id: UUID) -> str:
        try:
            return (await self._directory.branch(business_id, branch_id)).name
        except NotFound:
            return "—"


def language_of(code: str) -> Language:
    """Spanish where it is a language that we do not write."""
    return Language(code) if code in set(Language) else Language.ES
