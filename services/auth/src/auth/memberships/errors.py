"""Errors about one's own memberships."""

from __future__ import annotations

from kernel import NotFound


def membership_not_found() -> NotFound:
    return NotFound("Membership not found", code="membership_not_found")
