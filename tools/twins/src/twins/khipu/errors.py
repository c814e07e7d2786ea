"""Khipu's error answers: `{"status",…,"message",…,"errors":[{"field","message"}]}`, of which v3 documents none."""

from __future__ import annotations

from typing import Any

from twins.provider.book import Refusal


class ApiError(Refusal):
    def __init__(self, status: int, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.field = field

    def body(self) -> dict[str, Any]:
        errors = [{"field": self.field, "message": self.message}] if self.field else []
        return {"status": self.status, "message": self.message, **({"errors": errors} if errors else {})}


def unauthorized() -> ApiError:
    return ApiError(401, "Credenciales no válidas o faltantes")


def forbidden() -> ApiError:
    return ApiError(403, "Cliente no tiene privilegios")


def not_found() -> ApiError:
    return ApiError(404, "Recurso no disponible")


def invalid(field: str, problem: str) -> ApiError:
    return ApiError(400, f"{field}: {problem}", field)


def not_possible(message: str) -> ApiError:
    return ApiError(400, message)


def too_many_requests() -> ApiError:
    return ApiError(429, "Demasiadas solicitudes")


def system_failure() -> ApiError:
    return ApiError(500, "Servidor no pudo completar la solicitud")
