"""The error answers of the Orders API, by its list of them: `{"errors":[{"code","message"[,"details"]}]}`."""

from __future__ import annotations

from twins.provider.book import Json, Refusal


class ApiError(Refusal):
    def __init__(self, status: int, code: str, message: str, details: list[str] | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.details = details

    def body(self) -> Json:
        entry: Json = {"code": self.code, "message": self.message}
        if self.details:
            entry["details"] = self.details
        return {"errors": [entry]}


def unauthorized() -> ApiError:
    return ApiError(401, "unauthorized", "Invalid access token.")


def header_missing() -> ApiError:
    return ApiError(400, "empty_required_header", "X-Idempotency-Key is required.")


def json_syntax() -> ApiError:
    return ApiError(400, "json_syntax_error", "The body is not valid JSON.")


def required(path: str) -> ApiError:
    return ApiError(400, "required_properties", "Required properties are missing.", [f"'{path}' - is required"])


def invalid(path: str, problem: str) -> ApiError:
    return ApiError(400, "property_value", "Invalid value for property.", [f"'{path}' - {problem}"])


def invalid_total() -> ApiError:
    return ApiError(400, "invalid_total_amount", "total_amount does not equal the sum of the transactions.")


def not_found() -> ApiError:
    return ApiError(404, "order_not_found", "Order not found.")


def pos_not_found() -> ApiError:
    return ApiError(404, "pos_not_found", "No point of sale has this external_pos_id.")


def conflict(code: str) -> ApiError:
    """cannot_refund_order, cannot_cancel_order, order_already_refunded, operation_not_supported."""
    return ApiError(409, code, "The order does not allow it.")


def key_used() -> ApiError:
    return ApiError(409, "idempotency_key_already_used", "The X-Idempotency-Key has been used.")


def internal() -> ApiError:
    return ApiError(500, "internal_error", "Internal error.")


def too_many() -> ApiError:
    return ApiError(429, "local_rate_limited", "Too many requests.")
