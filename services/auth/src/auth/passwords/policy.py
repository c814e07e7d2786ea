"""Which passwords are accepted."""

from __future__ import annotations

from importlib import resources
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from auth.passwords.errors import weak_password

MIN_LENGTH: Final = 8
MAX_LENGTH: Final = 256

# Never stripped: a blank at the end of a password is part of it.
NewPassword = Annotated[
    str,
    StringConstraints(strip_whitespace=False, min_length=MIN_LENGTH, max_length=MAX_LENGTH),
    Field(repr=False, json_schema_extra={"format": "password"}),
]
GivenPassword = Annotated[
    str,
    StringConstraints(strip_whitespace=False, min_length=1, max_length=MAX_LENGTH),
    Field(repr=False, json_schema_extra={"format": "password"}),
]


class PasswordPolicy:
    """Refuses the passwords that are tried first. No rules of composition: they only make people write "Password1!"."""

    def __init__(self) -> None:
        listed = resources.files("auth.passwords").joinpath("common_passwords.txt").read_text(encoding="utf-8")
        self._common = frozenset(line for line in listed.splitlines() if line and not line.startswith("#"))

    def check(self, password: str, *, phone: str | None, field: str = "password") -> None:
        """Raises InvalidInput about `field`. The length is the request model's to check. phone: None where unknown."""
        folded = password.casefold()
        if folded in self._common or len(set(folded)) == 1:
            raise weak_password(field, "is one of the most common passwords")
        if phone is not None and phone.removeprefix("+").endswith(folded.removeprefix("+")):
            raise weak_password(field, "must not be the phone number")
