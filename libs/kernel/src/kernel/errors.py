"""The error tree. A business error carries a kind and a stable code; each protocol translates the kind at its edge.

CobroError
├── InvalidInput       malformed or invalid input            HTTP 400  gRPC INVALID_ARGUMENT
├── Unauthenticated    no or bad credentials                 HTTP 401  gRPC UNAUTHENTICATED
├── Forbidden          known caller without the right        HTTP 403  gRPC PERMISSION_DENIED
├── NotFound           absent, or another tenant's           HTTP 404  gRPC NOT_FOUND
├── Conflict           conflict with the present state       HTTP 409  gRPC ABORTED
├── TooLarge           body over the limit                   HTTP 413  gRPC OUT_OF_RANGE
├── UnsupportedMedia   wrong media type                      HTTP 415
├── RuleViolation      a business rule says no               HTTP 422  gRPC FAILED_PRECONDITION
├── RateLimited        too many requests                     HTTP 429  gRPC RESOURCE_EXHAUSTED
└── Unavailable        a dependency is down; try again       HTTP 503  gRPC UNAVAILABLE
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class ErrorKind(StrEnum):
    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA = "unsupported_media"
    RULE = "rule"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One offending field: its camelCase path as the client wrote it, and what is wrong with it."""

    field: str
    message: str


class CobroError(Exception):
    """Base of every error that a caller is told about.

    message: for people, without personal data or secrets. code: stable, snake_case, for programs.
    retry_after: seconds after which trying again makes sense, where it does. metadata: details for programs.
    """

    kind: ClassVar[ErrorKind]
    default_code: ClassVar[str]

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        errors: Sequence[FieldError] = (),
        retry_after: int | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.errors = tuple(errors)
        self.retry_after = retry_after
        self.metadata: Mapping[str, str] = dict(metadata or {})


class InvalidInput(CobroError):
    kind = ErrorKind.INVALID
    default_code = "validation_failed"

    @classmethod
    def field(cls, field: str, message: str) -> InvalidInput:
        return cls("Validation failed", errors=[FieldError(field, message)])


class Unauthenticated(CobroError):
    kind = ErrorKind.UNAUTHENTICATED
    default_code = "unauthenticated"


class Forbidden(CobroError):
    kind = ErrorKind.FORBIDDEN
    default_code = "forbidden"


class NotFound(CobroError):
    kind = ErrorKind.NOT_FOUND
    default_code = "not_found"


class Conflict(CobroError):
    kind = ErrorKind.CONFLICT
    default_code = "conflict"


class TooLarge(CobroError):
    kind = ErrorKind.TOO_LARGE
    default_code = "too_large"


class UnsupportedMedia(CobroError):
    kind = ErrorKind.UNSUPPORTED_MEDIA
    default_code = "unsupported_media_type"


class RuleViolation(CobroError):
    kind = ErrorKind.RULE
    default_code = "rule_violation"


class RateLimited(CobroError):
    kind = ErrorKind.RATE_LIMITED
    default_code = "rate_limited"


class Unavailable(CobroError):
    kind = ErrorKind.UNAVAILABLE
    default_code = "dependency_unavailable"
