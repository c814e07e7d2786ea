"""Kinds of text."""

import pytest
from auth.fields import Email, Phone, TimeZone, Website
from pydantic import TypeAdapter, ValidationError


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("+525512345678", "+525512345678"),
        ("+5215512345678", "+525512345678"),
        ("+573101234567", "+573101234567"),
        ("+5491123456789", "+5491123456789"),
        ("+56912345678", "+56912345678"),
    ],
)
def test_a_phone_is_kept_in_e164(given: str, kept: str) -> None:
    assert TypeAdapter(Phone).validate_python(given) == kept


@pytest.mark.parametrize(
    "given",
    [
        "",
        "5512345678",
        "+52 55 1234 5678",
        "+52551234567",
        "+5255123456789",
        "+99955512345",
        "+",
        "tel:+525512345678",
        "+52551234567\x00",
        "+٥٢٥٥١٢٣٤٥٦٧٨",
        "'; DROP TABLE users; --",
        "+" + "5" * 10_000,
    ],
)
def test_anything_else_is_no_phone(given: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Phone).validate_python(given)


@pytest.mark.parametrize("given", ["America/Mexico_City", "America/Argentina/Buenos_Aires", "UTC", "Etc/GMT+3"])
def test_a_time_zone_is_one_of_iana(given: str) -> None:
    assert TypeAdapter(TimeZone).validate_python(given) == given


@pytest.mark.parametrize(
    "given",
    [
        "",
        "America",
        "America/Macondo",
        "../../etc/passwd",
        "/etc/localtime",
        "posix/America/Lima",
        "america/lima",
        "America/Lima\x00",
        "A" * 10_000,
        "tzdata.zi",
        "America/../America/Lima",
    ],
)
def test_anything_else_is_no_time_zone(given: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(TimeZone).validate_python(given)


@pytest.mark.parametrize("given", ["a@b", "@example.com", "a b@example.com", "a@exam\nple.com", "x" * 300 + "@e.com"])
def test_what_is_no_email(given: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Email).validate_python(given)


def test_the_domain_of_an_email_is_lower_case() -> None:
    assert TypeAdapter(Email).validate_python("Lupita@EXAMPLE.com") == "Lupita@example.com"


@pytest.mark.parametrize("given", ["javascript:alert(1)", "ftp://example.com", "example.com", "https://", "http:// x"])
def test_what_is_no_website(given: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Website).validate_python(given)


def test_a_website_is_kept_as_written() -> None:
    assert TypeAdapter(Website).validate_python("https://lupita.example.com") == "https://lupita.example.com"
