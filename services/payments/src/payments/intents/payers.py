"""The buyer, what a country calls their documents, and what a bank transfer there needs to know of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kernel import Country, FieldError, RuleViolation
from psp.capabilities import MethodCapability, Need
from psp.provider import BuyerDevice, Customer, IdentityDocument, IntentRequest


class PersonType(StrEnum):
    """N: a natural person. J: a legal one, whose document is a tax id."""

    N = "N"
    J = "J"


DOCUMENT_TYPES: Final[Mapping[Country, tuple[str, ...]]] = {
    Country.MX: ("RFC", "CURP"),
    # In PSE's vocabulary: cédula, cédula de extranjería, NIT, tarjeta de identidad, pasaporte, and so on.
    Country.CO: ("CC", "CE", "NIT", "TI", "PP", "IDC", "CEL", "RC", "DE"),
    Country.AR: ("DNI", "CUIT", "CUIL"),
    Country.CL: ("RUT",),
}
# Of those that companies alone, or mostly, have.
_COMPANY_TYPES: Final = frozenset({"NIT", "CUIT"})
_NUMBER: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{1,18}[A-Za-z0-9])", re.ASCII)
_IN_API: Final[Mapping[Need, tuple[str, Callable[[IntentRequest], object]]]] = {
    Need.NAME: ("customer.name", lambda request: request.customer.name),
    Need.EMAIL: ("customer.email", lambda request: request.customer.email),
    Need.PHONE: ("customer.phone", lambda request: request.customer.phone),
    Need.DOCUMENT: ("customer.document", lambda request: request.customer.document),
    Need.BANK: ("bankCode", lambda request: request.bank),
    Need.DEVICE: ("device", lambda request: request.device),
}


@dataclass(frozen=True, slots=True)
class Buyer:
    """phone in E.164. document_type: one of DOCUMENT_TYPES. bank: by its code in the provider's list. device: the
    browser the buyer pays with."""

    name: str | None = None
    phone: str | None = None
    email: str | None = None
    document_type: str | None = None
    document_number: str | None = None
    person_type: str | None = None
    bank: str | None = None
    device: BuyerDevice | None = None

    @property
    def is_known(self) -> bool:
        return bool(self.name or self.phone or self.email or self.document_number)

    @property
    def document(self) -> IdentityDocument | None:
        if not self.document_type or not self.document_number:
            return None
        return IdentityDocument(self.document_type, self.document_number)

    @property
    def is_company(self) -> bool:
        if self.person_type:
            return self.person_type == PersonType.J
        return self.document_type in _COMPANY_TYPES

    @property
    def as_customer(self) -> Customer:
        """For the provider."""
        return Customer(self.name, self.email, self.phone, self.document, self.is_company)


def check_document(buyer: Buyer, country: Country) -> None:
    """Raises RuleViolation for a kind of document that the country does not have, or a number that is none."""
    if not buyer.document_type and not buyer.document_number:
        return
    allowed = DOCUMENT_TYPES[country]
    wrong = []
    if buyer.document_type not in allowed:
        wrong.append(FieldError("customer.document.type", f"must be one of {', '.join(allowed)} in {country}"))
    if not _NUMBER.fullmatch(buyer.document_number or ""):
        wrong.append(FieldError("customer.document.number", "must be 3 to 20 letters and digits"))
    if wrong:
        raise RuleViolation("The buyer's document is not one of this country", code="document_invalid", errors=wrong)


def check_complete(request: IntentRequest, capability: MethodCapability) -> None:
    """Raises RuleViolation that names every field which the provider needs for this method and nobody gave."""
    missing = [name for need, (name, given) in _IN_API.items() if need in capability.needs and not given(request)]
    if missing:
        raise RuleViolation(
            f"{capability.product} needs {', '.join(missing)}",
            code="payer_incomplete",
            errors=[FieldError(name, "is required for this method in this country") for name in missing],
        )


def offers_banks(capability: MethodCapability | None) -> bool:
    """Whether the buyer's bank has to be named beforehand."""
    return capability is not None and Need.BANK in capability.needs
