"""Errors about sessions."""

from __future__ import annotations

from kernel import NotFound, Unauthenticated


def invalid_credentials() -> Unauthenticated:
    return Unauthenticated("Wrong phone or password", code="invalid_credentials")


def refresh_token_invalid() -> Unauthenticated:
    return Unauthenticated("The refresh token is not valid; log in again", code="refresh_token_invalid")


def session_ended() -> Unauthenticated:
    return Unauthenticated("The session has ended; log in again", code="session_revoked")


def session_not_found() -> NotFound:
    return NotFound("Session not found", code="session_not_found")
