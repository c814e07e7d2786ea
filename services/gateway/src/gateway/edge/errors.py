"""Answers that only a gateway gives, beside the error tree that all services share."""

from __future__ import annotations


class GatewayError(Exception):
    """status: 405, 408, 502, 503 or 504; code: stable, for programs; retry_after: seconds."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str,
        *,
        retry_after: int | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.retry_after = retry_after
        self.headers = headers


class ClientGone(Exception):
    """The client closed the connection, or stopped reading: there is nobody to answer."""
