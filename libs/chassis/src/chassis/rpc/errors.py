"""Errors across gRPC: a status, and an ErrorInfo that carries our code and metadata (google.rpc.error_details)."""

from __future__ import annotations

from collections.abc import Mapping

import grpc
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status
from kernel import (
    CobroError,
    Conflict,
    ErrorKind,
    Forbidden,
    InvalidInput,
    NotFound,
    RateLimited,
    RuleViolation,
    TooLarge,
    Unauthenticated,
    Unavailable,
)

_DOMAIN = "cobro"

_CODES: Mapping[ErrorKind, int] = {
    ErrorKind.INVALID: code_pb2.INVALID_ARGUMENT,
    ErrorKind.UNAUTHENTICATED: code_pb2.UNAUTHENTICATED,
    ErrorKind.FORBIDDEN: code_pb2.PERMISSION_DENIED,
    ErrorKind.NOT_FOUND: code_pb2.NOT_FOUND,
    ErrorKind.CONFLICT: code_pb2.ABORTED,
    ErrorKind.TOO_LARGE: code_pb2.OUT_OF_RANGE,
    ErrorKind.UNSUPPORTED_MEDIA: code_pb2.INVALID_ARGUMENT,
    ErrorKind.RULE: code_pb2.FAILED_PRECONDITION,
    ErrorKind.RATE_LIMITED: code_pb2.RESOURCE_EXHAUSTED,
    ErrorKind.UNAVAILABLE: code_pb2.UNAVAILABLE,
}
_ERRORS: Mapping[grpc.StatusCode, type[CobroError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidInput,
    grpc.StatusCode.UNAUTHENTICATED: Unauthenticated,
    grpc.StatusCode.PERMISSION_DENIED: Forbidden,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.ABORTED: Conflict,
    grpc.StatusCode.OUT_OF_RANGE: TooLarge,
    grpc.StatusCode.FAILED_PRECONDITION: RuleViolation,
    grpc.StatusCode.RESOURCE_EXHAUSTED: RateLimited,
}


def status_of(error: CobroError) -> grpc.Status:
    """What a servicer aborts with."""
    info = error_details_pb2.ErrorInfo(reason=error.code, domain=_DOMAIN, metadata=error.metadata)
    for field in error.errors:
        info.metadata[field.field] = field.message
    if error.retry_after is not None:
        info.metadata["retry_after"] = str(error.retry_after)
    detail = any_pb2.Any()
    detail.Pack(info)
    status = status_pb2.Status(code=_CODES[error.kind], message=error.message, details=[detail])
    refusal = rpc_status.to_status(status)
    if error.kind is ErrorKind.UNAVAILABLE:
        # Ours to tell the caller at once: only what never came this far is sent again by its gRPC library.
        metadata = (*refusal.trailing_metadata, ("grpc-retry-pushback-ms", "-1"))
        return refusal._replace(trailing_metadata=metadata)  # type: ignore[attr-defined, no-any-return]
    return refusal


def error_of(error: grpc.aio.AioRpcError, peer: str) -> CobroError:
    """What a caller raises. Unknown, internal and deadline errors say that the peer is unavailable.

    The call may have taken effect all the same, which is why every call that writes is idempotent by an id of ours.
    An Unavailable names the gRPC status and, where the peer gave one, its own code in `metadata`.
    """
    kind = _ERRORS.get(error.code())
    info, message = _info(error)
    if kind is not None and info is not None:
        return kind(message, code=info.reason, metadata=dict(info.metadata))
    metadata = {"grpc_status": error.code().name} | ({"code": info.reason} if info else {})
    message = f"The {peer} service is not available"
    return Unavailable(message, code=f"{peer}_unavailable", retry_after=2, metadata=metadata)


def _info(error: grpc.aio.AioRpcError) -> tuple[error_details_pb2.ErrorInfo | None, str]:
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    for detail in status.details if status else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return info, status.message
    return None, ""
