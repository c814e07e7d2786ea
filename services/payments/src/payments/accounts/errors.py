"""What owners who look after their account are told."""

from __future__ import annotations

from collections.abc import Mapping

from kernel import Conflict, FieldError, InvalidInput, NotFound, RuleViolation
from pydantic.alias_generators import to_camel


def unknown_provider() -> NotFound:
    return NotFound("No such provider, or none that businesses have accounts of their own at", code="provider_unknown")


def of_another_country(country: str) -> RuleViolation:
    return RuleViolation(f"This provider does not serve {country}", code="provider_not_available")


def unusable(problems: Mapping[str, str]) -> InvalidInput:
    wrong = [FieldError(f"credentials.{to_camel(name)}", problem) for name, problem in problems.items()]
    return InvalidInput("These are no credentials of this provider", errors=wrong)


def refused(code: str) -> RuleViolation:
    return RuleViolation(
        "The provider does not accept these credentials",
        code="credentials_refused",
        metadata={"provider_code": code},
    )


def another_account() -> RuleViolation:
    return RuleViolation("These are credentials of another account at the provider", code="account_differs")


def changed_meanwhile() -> Conflict:
    return Conflict("The account was changed at the same time", code="payment_account_changed")
