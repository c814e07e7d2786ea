"""Errors of messages."""

from __future__ import annotations

from kernel import Conflict, NotFound


def notification_not_found() -> NotFound:
    return NotFound("Notification not found", code="notification_not_found")


def not_failed() -> Conflict:
    return Conflict("Only a message that was given up can be sent again", code="notification_not_failed")
