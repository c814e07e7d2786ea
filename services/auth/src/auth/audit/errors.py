"""Errors about the audit log."""

from __future__ import annotations

from kernel import InvalidInput


def business_needed() -> InvalidInput:
    return InvalidInput.field("businessId", "is needed by everyone but administrators")


def bad_range() -> InvalidInput:
    return InvalidInput.field("to", "is before `from`")
