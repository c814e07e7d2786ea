"""Every way in which a country can say no.

FiscalError
├── AuthorityUnavailable   nothing happened there; sending again is safe
├── OutcomeUnknown         sent, no usable answer: never sent again blindly, resolved with `status`
├── Rejected               the document cannot be issued as it is; `messages` say why
├── BadProfile             the issuer's data, certificates or ranges are wrong; `fields` say which
└── CountryNotSupported    no folder serves this country

Messages of errors hold no personal data and no secrets. An authority's own words (`Message`) may quote what was sent:
they are stored encrypted, shown to the issuer, and never logged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kernel import Country, FieldError


@dataclass(frozen=True, slots=True)
class Message:
    """code: the authority's own, such as CFDI40108 or 10246. text: its words, in its language."""

    code: str
    text: str = ""


class FiscalError(Exception):
    """code: stable, snake_case."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class AuthorityUnavailable(FiscalError):
    """retry_after: seconds, where the authority asked for them, or until we call it again."""

    def __init__(self, code: str = "authority_unavailable", *, retry_after: float | None = None) -> None:
        super().__init__(code)
        self.retry_after = retry_after


class OutcomeUnknown(FiscalError):
    """authority_ref: who may have it, where there are several that could have been sent it."""

    def __init__(self, code: str = "outcome_unknown", *, authority_ref: str | None = None) -> None:
        super().__init__(code)
        self.authority_ref = authority_ref


class Rejected(FiscalError):
    """Raised by `prepare`, before anything was sent; an authority's own no is an Outcome with State.REJECTED."""

    def __init__(self, messages: Sequence[Message]) -> None:
        super().__init__("document_rejected")
        self.messages = tuple(messages)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.messages,)


class BadProfile(FiscalError):
    """fields: camelCase paths of the PUT's body."""

    def __init__(self, fields: Sequence[FieldError]) -> None:
        super().__init__("fiscal_profile_invalid")
        self.fields = tuple(fields)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.fields,)

    @classmethod
    def field(cls, field: str, message: str) -> BadProfile:
        return cls([FieldError(field, message)])


class CountryNotSupported(FiscalError):
    def __init__(self, country: Country) -> None:
        super().__init__("fiscal_country_not_supported")
        self.country = country

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.country,)


class WorkshopFailed(Exception):
    """Building or signing broke, or the process that does it. No word of what it was working on."""
