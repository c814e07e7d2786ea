"""Errors about branches."""

from __future__ import annotations

from kernel import Forbidden, NotFound


def branch_not_found() -> NotFound:
    return NotFound("Branch not found", code="branch_not_found")


def branch_forbidden() -> Forbidden:
    return Forbidden("You are not assigned to this branch", code="branch_forbidden")
