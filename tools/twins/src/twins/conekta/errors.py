"""Conekta's error answers: `{"object":"error","type",…,"log_id",…,"details":[…]}`."""

from __future__ import annotations

import secrets
from typing import Any

from twins.provider.book import Refusal


class ApiError(Refusal):
    def __init__(self, status: int, type: str, code: str, message: str, param: str | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.type = type
        self.code = code
        self.message = message
        self.param = param

    def body(self) -> dict[str, Any]:
        return {
            "object": "error",
            "type": self.type,
            "log_id": secrets.token_hex(12),
            "details": [
                {
                    "message": self.message,
                    "debug_message": self.message,
                    "param": self.param,
                    "code": f"conekta.errors.{self.code}",
                }
            ],
        }


def missing_key() -> ApiError:
    return ApiError(401, "authentication_error", "authentication.missing_key", "Acceso no autorizado.")


def not_found() -> ApiError:
    return ApiError(404, "resource_not_found_error", "resource_not_found.entity", "El recurso no ha sido encontrado.")


def invalid(param: str, problem: str, message: str) -> ApiError:
    return ApiError(422, "parameter_validation_error", f"parameter_validation.{param}.{problem}", message, param)


def precondition(code: str, message: str) -> ApiError:
    return ApiError(428, "precondition_required_error", f"precondition_required.{code}", message)


def refund_declined() -> ApiError:
    return ApiError(402, "processing_error", "processing.bank.declined_refund", "La devolución fue rechazada.")


def system_failure() -> ApiError:
    return ApiError(500, "api_error", "api.system.general_failure", "Ocurrió un error en el sistema.")


def too_many_requests() -> ApiError:
    return ApiError(429, "rate_limit_error", "api.rate_limit", "Demasiadas peticiones.")


def not_acceptable() -> ApiError:
    return ApiError(
        406,
        "parameter_validation_error",
        "parameter_validation.accept.invalid",
        "Accept debe ser application/vnd.conekta-v2.3.0+json.",
        "Accept",
    )
