"""What a buyer's browser sends, read with care: anybody can send anything."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from urllib.parse import parse_qs
from uuid import UUID

from kernel import Currency

from payments.counter import errors
from payments.counter.payer import PayerForm

MAX_NOTE: Final = 80
BY_BANK: Final = "bank"

# No thousands separators: what is one in Santiago is a decimal point in Mexico.
_AMOUNT: Final = re.compile(r"[0-9]{1,12}(?:[.,][0-9]{1,2})?", re.ASCII)
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Form:
    """As sent, of harmless length. payment_id: of the open sale that the buyer was shown. lang: as chosen.
    payer: of a buyer who pays from their bank."""

    token: str
    amount_text: str = ""
    note: str = ""
    payment_id: UUID | None = None
    lang: str | None = None
    payer: PayerForm | None = None

    def amount(self, currency: Currency) -> Decimal:
        """Raises InvalidInput."""
        text = self.amount_text.strip().removeprefix("$").strip()
        if not _AMOUNT.fullmatch(text):
            raise errors.amount_invalid()
        amount = Decimal(text.replace(",", "."))
        if amount <= 0 or amount != round(amount, currency.exponent):
            raise errors.amount_invalid()
        return amount

    def checked_note(self) -> str | None:
        """Raises InvalidInput."""
        if len(self.note) > MAX_NOTE or _CONTROL.search(self.note):
            raise errors.note_invalid()
        return self.note.strip() or None


def new_token() -> str:
    return secrets.token_urlsafe(16)


def read_form(body: bytes) -> Form:
    """Never raises: what cannot be read was not sent."""
    try:
        found = parse_qs(body.decode("utf-8", "replace"), max_num_fields=20)
    except ValueError:
        found = {}
    given = {name: values[0][:254] for name, values in found.items()}
    token = given.get("token", "")
    try:
        payment_id = UUID(given["payment"]) if "payment" in given else None
    except ValueError:
        payment_id = None
    return Form(
        token=token if _TOKEN.fullmatch(token) else new_token(),
        amount_text=given.get("amount", ""),
        note=given.get("note", ""),
        payment_id=payment_id,
        lang=given.get("lang"),
        payer=PayerForm.of(given) if given.get("way") == BY_BANK else None,
    )
