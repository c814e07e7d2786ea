"""Why a buyer's form was not taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kernel import Conflict, FieldError, InvalidInput, RateLimited

AMOUNT_INVALID: Final = "amount_invalid"
NOTE_INVALID: Final = "note_invalid"
NOT_OPEN: Final = "payment_not_open"
PAYER_INVALID: Final = "payer_invalid"


def amount_invalid() -> InvalidInput:
    return InvalidInput("The amount must be a number such as 150.50", code=AMOUNT_INVALID)


def note_invalid() -> InvalidInput:
    return InvalidInput("The note must be short and printable", code=NOTE_INVALID)


def payer_invalid(fields: Sequence[str]) -> InvalidInput:
    return InvalidInput(
        "What the bank needs to know is not complete",
        code=PAYER_INVALID,
        errors=[FieldError(field, "is missing or not readable") for field in fields],
    )


def not_open() -> Conflict:
    return Conflict("This payment is not open any more", code=NOT_OPEN)


def too_many() -> RateLimited:
    return RateLimited("Too many payments were begun with this code", code="payment_method_busy", retry_after=30)
