"""Pure types shared by every package. Standard library only; importing it does nothing."""

from kernel.clock import Clock, FixedClock, SystemClock
from kernel.country import Country
from kernel.errors import (
    CobroError,
    Conflict,
    ErrorKind,
    FieldError,
    Forbidden,
    InvalidInput,
    NotFound,
    RateLimited,
    RuleViolation,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMedia,
)
from kernel.ids import new_id
from kernel.money import Currency, Money, MoneyError

__all__ = [
    "Clock",
    "CobroError",
    "Conflict",
    "Country",
    "Currency",
    "ErrorKind",
    "FieldError",
    "FixedClock",
    "Forbidden",
    "InvalidInput",
    "Money",
    "MoneyError",
    "NotFound",
    "RateLimited",
    "RuleViolation",
    "SystemClock",
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
    "UnsupportedMedia",
    "new_id",
]
