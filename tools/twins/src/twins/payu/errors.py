"""PayU's refusals: `{"code":"ERROR","error":"<a sentence>","transactionResponse":null}`."""

from __future__ import annotations

from twins.provider.book import Json, Refusal


class ApiError(Refusal):
    def __init__(self, message: str, status: int | None = None) -> None:
        """status: None for the one the twin's settings say."""
        super().__init__(message)
        self.message = message
        self.given_status = status
        self.status = status or 409

    def body(self) -> Json:
        return {"code": "ERROR", "error": self.message, "transactionResponse": None}


class NotJson(ApiError):
    """The caller takes no JSON, and is answered in XML."""


def credentials() -> ApiError:
    return ApiError("Invalid credentials")


def invalid(field: str, problem: str) -> ApiError:
    return ApiError(f"property: {field}, message: {problem}")


def not_found() -> ApiError:
    return ApiError("La orden no existe")


def not_possible(message: str) -> ApiError:
    return ApiError(message)


def under_way() -> ApiError:
    return ApiError("Solicitud ya en proceso")


def too_many_requests() -> ApiError:
    return ApiError("Demasiadas solicitudes", 429)


def system_failure() -> ApiError:
    return ApiError("Ha ocurrido un error interno", 500)
