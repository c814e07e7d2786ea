"""Errors of fiscal profiles."""

from __future__ import annotations

from fiscal.errors import BadProfile
from kernel import InvalidInput, NotFound, RuleViolation


def profile_not_found() -> NotFound:
    return NotFound("The business has no fiscal profile", code="fiscal_profile_not_found")


def country_not_supported() -> RuleViolation:
    return RuleViolation("Fiscal documents are not offered in this country yet", code="fiscal_country_not_supported")


def bad_profile(error: BadProfile) -> InvalidInput:
    return InvalidInput("The fiscal profile is not complete or not right", code=error.code, errors=error.fields)
