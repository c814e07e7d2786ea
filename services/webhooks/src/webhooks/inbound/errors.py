"""What a provider or an administrator is told."""

from __future__ import annotations

from kernel import Forbidden, InvalidInput, NotFound, Unauthenticated


def unknown_provider() -> NotFound:
    return NotFound("No such webhook", code="provider_unknown")


def bad_signature() -> Unauthenticated:
    return Unauthenticated("The signature does not match the body", code="signature_invalid")


def malformed() -> InvalidInput:
    return InvalidInput("The notification cannot be read", code="webhook_malformed")


def not_found() -> NotFound:
    return NotFound("Webhook event not found", code="webhook_event_not_found")


def admins_only() -> Forbidden:
    return Forbidden("Only administrators may see webhook events")
