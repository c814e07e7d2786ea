"""What an account at a provider consists of, and the settings of an adapter for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from psp.settings import ProviderSettings

_WORD: Final = r"[\x21-\x7e]{1,1000}"
_PEM: Final = r"[\x20-\x7e\r\n]{1,8000}"


class UnusableAccount(ValueError):
    """What was given is no account of this provider. problems: by the setting's name; no value is repeated."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class AccountField:
    """name: of the provider's settings. secret: nothing but its last characters may ever be shown. lines: it has some,
    as a key in PEM."""

    name: str
    secret: bool = False
    required: bool = False
    lines: bool = False


@dataclass(frozen=True, slots=True)
class AccountShape:
    """Stands in a provider's settings module as ACCOUNT; without one there are no accounts but the platform's.

    identity: fields that together say which account it is, whatever its keys. notify: the setting that takes the
    address of its webhooks, where the provider is told it with each payment. cleared: settings of the platform's
    account that hold for no other. modes: settings that follow from whether the account is a live one.
    """

    settings: type[ProviderSettings]
    fields: tuple[AccountField, ...]
    identity: tuple[str, ...] = ()
    notify: str | None = None
    cleared: tuple[str, ...] = ()
    modes: Callable[[bool], Mapping[str, object]] = lambda live: {}

    def check(self, values: Mapping[str, str]) -> None:
        """Raises UnusableAccount."""
        known = {field.name: field for field in self.fields}
        problems = dict.fromkeys(values.keys() - known.keys(), "is not known")
        for name, field in known.items():
            if name not in values:
                if field.required:
                    problems[name] = "is required"
            elif not re.fullmatch(_PEM if field.lines else _WORD, values[name]):
                problems[name] = "has characters that no key has, or too many"
        if problems:
            raise UnusableAccount(problems)

    def settings_of(self, values: Mapping[str, str], *, live: bool, webhook_url: str) -> ProviderSettings:
        """Raises UnusableAccount."""
        self.check(values)
        common = self.settings().model_dump()
        nobodys: dict[str, Any] = dict.fromkeys((*(field.name for field in self.fields), *self.cleared))
        told = {self.notify: webhook_url} if self.notify else {}
        try:
            # Everything is given, so that nothing is read from the environment, where the platform's keys are.
            return self.settings(**{**common, **nobodys, **told, **self.modes(live), **values})
        except ValidationError as error:
            wrong = {str(problem["loc"][0]): "is not of the form it has at this provider" for problem in error.errors()}
            raise UnusableAccount(wrong) from None

    def identity_of(self, values: Mapping[str, str]) -> str | None:
        """None where it cannot be told."""
        parts = [values.get(name, "") for name in self.identity]
        return ":".join(parts) if parts and all(parts) else None
