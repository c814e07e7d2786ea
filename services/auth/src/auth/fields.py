"""Kinds of text that several resources take from clients: phone, e-mail, web address, time zone."""

from __future__ import annotations

import re
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, HttpUrl, StringConstraints, TypeAdapter, WithJsonSchema
from pydantic import ValidationError as PydanticError

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
# Until 2019 Mexican mobiles were dialled from abroad with a 1, and address books are still full of it.
_OLD_MEXICAN_MOBILE = re.compile(r"\+521([0-9]{10})")
# No "posix/…" or "right/…" trees, and nothing that could be a path.
_ZONE = re.compile(r"[A-Z][A-Za-z_]*(?:/[A-Z][A-Za-z0-9_+-]*){0,2}")
_HTTP_URL = TypeAdapter(HttpUrl)


def normalize_phone(value: str) -> str:
    """E.164, or ValueError.

    A number is taken when its length is right for its country, not only when its range is in the library's tables:
    ranges open faster than tables are shipped, and that a number is really answered only a code sent to it can show.
    """
    value = _OLD_MEXICAN_MOBILE.sub(r"+52\1", value)
    if not _E164.fullmatch(value):
        raise ValueError("must be in E.164 form, such as +525512345678")
    try:
        number = phonenumbers.parse(value, None)
    except phonenumbers.NumberParseException:
        raise ValueError("is not a phone number of any country") from None
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise ValueError("is too short or too long for a phone number of its country")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _email(value: str) -> str:
    try:
        return validate_email(value, check_deliverability=False).normalized
    except EmailNotValidError:
        raise ValueError("is not an e-mail address") from None


def _website(value: str) -> str:
    try:
        _HTTP_URL.validate_python(value)
    except PydanticError:
        raise ValueError("must be an http or https address") from None
    return value


def _time_zone(value: str) -> str:
    try:
        if _ZONE.fullmatch(value) and ZoneInfo(value).key == value:
            return value
    except (ZoneInfoNotFoundError, OSError):  # a directory of zones, such as "America", is an OSError
        pass
    raise ValueError("is not an IANA time zone, such as America/Mexico_City")


def refuse_null(value: object) -> object:
    """For a PATCH: a field may be left out, but its value cannot be removed. Validators see only what was sent."""
    if value is None:
        raise ValueError("must not be null")
    return value


Phone = Annotated[
    str,
    StringConstraints(max_length=32),
    AfterValidator(normalize_phone),
    WithJsonSchema({"type": "string", "pattern": r"^\+[1-9][0-9]{6,14}$", "examples": ["+525512345678"]}),
]
"""A phone number in E.164."""

Email = Annotated[
    str,
    StringConstraints(max_length=254),
    AfterValidator(_email),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": 254}),
]
Website = Annotated[
    str,
    StringConstraints(max_length=200),
    AfterValidator(_website),
    WithJsonSchema({"type": "string", "format": "uri", "maxLength": 200}),
]
TimeZone = Annotated[
    str,
    StringConstraints(max_length=64),
    AfterValidator(_time_zone),
    WithJsonSchema({"type": "string", "maxLength": 64, "examples": ["America/Mexico_City"]}),
]
"""The IANA name of a time zone."""

PostalCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 -]{1,11}$")]
