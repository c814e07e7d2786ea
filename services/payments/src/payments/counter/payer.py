"""What a buyer who pays from their bank writes about themselves, read with care."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kernel import Country
from psp.provider import BuyerDevice

from payments.counter import errors
from payments.intents.payers import DOCUMENT_TYPES, Buyer, PersonType

_NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{2,120}")
_EMAIL: Final = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s.\x00-\x1f\x7f]+(?:\.[^@\s.\x00-\x1f\x7f]+)+")
_PHONE: Final = re.compile(r"\+[1-9][0-9]{7,14}", re.ASCII)
_NUMBER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{1,18}[A-Za-z0-9]", re.ASCII)
_BANK: Final = re.compile(r"[A-Za-z0-9_-]{1,20}", re.ASCII)
_BETWEEN_DIGITS: Final = re.compile(r"[\s().-]")
_CALLING: Final[Mapping[Country, str]] = {Country.MX: "52", Country.CO: "57", Country.AR: "54", Country.CL: "56"}
_FIELDS: Final = ("name", "email", "phone", "documentType", "documentNumber", "personType", "bank")


@dataclass(frozen=True, slots=True)
class PayerForm:
    """As sent, of harmless length; nothing of it is shown to anybody else."""

    name: str = ""
    email: str = ""
    phone: str = ""
    document_type: str = ""
    document_number: str = ""
    person_type: str = ""
    bank: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> PayerForm:
        return cls(*(given.get(name, "").strip() for name in _FIELDS))

    def buyer(self, country: Country, device: BuyerDevice) -> Buyer:
        """Raises InvalidInput, which names what is wrong and does not repeat it."""
        phone = international(self.phone, country)
        kinds = {kind.value for kind in PersonType}
        checks = {
            "name": _NAME.fullmatch(self.name),
            "email": len(self.email) <= 254 and _EMAIL.fullmatch(self.email),
            "phone": _PHONE.fullmatch(phone),
            "documentType": self.document_type in DOCUMENT_TYPES[country],
            "documentNumber": _NUMBER.fullmatch(self.document_number),
            "personType": self.person_type in kinds,
            "bank": _BANK.fullmatch(self.bank),
        }
        wrong = [name for name, passed in checks.items() if not passed]
        if wrong:
            raise errors.payer_invalid(wrong)
        return Buyer(
            name=self.name,
            email=self.email,
            phone=phone,
            document_type=self.document_type,
            document_number=self.document_number,
            person_type=self.person_type,
            bank=self.bank,
            device=device,
        )


def international(phone: str, country: Country) -> str:
    """In E.164, as far as it can be told: a number without a plus is one of the country."""
    digits = _BETWEEN_DIGITS.sub("", phone)
    return digits if digits.startswith("+") else f"+{_CALLING[country]}{digits}"
