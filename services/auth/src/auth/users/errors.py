"""Errors about users."""

from __future__ import annotations

from kernel import Conflict, FieldError, Unauthenticated


def phone_taken() -> Conflict:
    message = "A user with this phone is already registered"
    return Conflict(message, code="phone_taken", errors=[FieldError("phone", "is already registered")])


def email_taken() -> Conflict:
    message = "A user with this e-mail is already registered"
    return Conflict(message, code="email_taken", errors=[FieldError("email", "is already registered")])


def user_gone() -> Unauthenticated:
    return Unauthenticated("The user of this token no longer exists", code="user_gone")
