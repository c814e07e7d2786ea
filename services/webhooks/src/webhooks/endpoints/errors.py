"""What a merchant is told about endpoints."""

from __future__ import annotations

from kernel import Conflict, FieldError, NotFound, RuleViolation


def endpoint_not_found() -> NotFound:
    return NotFound("Webhook endpoint not found", code="webhook_endpoint_not_found")


def too_many(limit: int) -> RuleViolation:
    return RuleViolation(f"A business has at most {limit} webhook endpoints", code="webhook_endpoint_limit")


def url_refused(reason: str) -> RuleViolation:
    return RuleViolation(
        "Webhooks cannot be sent to this URL", code="webhook_url_refused", errors=[FieldError("url", reason)]
    )


def endpoint_disabled() -> Conflict:
    return Conflict("The webhook endpoint is disabled", code="webhook_endpoint_disabled")
