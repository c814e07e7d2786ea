"""Errors about KYC."""

from __future__ import annotations

from kernel import (
    Conflict,
    FieldError,
    Forbidden,
    InvalidInput,
    NotFound,
    RateLimited,
    RuleViolation,
    TooLarge,
    Unavailable,
    UnsupportedMedia,
)


def submission_not_found() -> NotFound:
    return NotFound("KYC submission not found", code="kyc_submission_not_found")


def document_not_found() -> NotFound:
    return NotFound("The submission has no such document, or has it no longer", code="kyc_document_not_found")


def admins_only() -> Forbidden:
    return Forbidden("Only an administrator may review a submission", code="admin_only")


def own_submission() -> Forbidden:
    return Forbidden("Nobody reviews their own submission", code="kyc_own_submission")


def phone_not_verified() -> RuleViolation:
    return RuleViolation("Verify the phone first", code="phone_not_verified")


def level_required(level: int) -> RuleViolation:
    return RuleViolation(f"LEVEL_{level} comes first", code="kyc_level_required")


def level_reached() -> Conflict:
    return Conflict("The user has this KYC level already", code="kyc_level_reached")


def submission_open() -> Conflict:
    return Conflict("Another submission is waiting for its review", code="kyc_submission_open")


def submission_closed() -> Conflict:
    return Conflict("The submission has been closed otherwise", code="kyc_submission_closed")


def user_deleted() -> Conflict:
    return Conflict("The user of this submission has been deleted", code="kyc_user_deleted")


def upload_superseded() -> Conflict:
    return Conflict("The same submission is being sent again", code="kyc_upload_superseded", retry_after=1)


def upload_in_progress() -> Conflict:
    return Conflict("Another upload of the same user is under way", code="kyc_upload_in_progress", retry_after=2)


def uploads_busy() -> RateLimited:
    return RateLimited("Too many uploads at this moment", code="kyc_uploads_busy", retry_after=3)


def upload_too_slow() -> InvalidInput:
    return InvalidInput("The upload took too long", code="kyc_upload_too_slow")


def store_unavailable() -> Unavailable:
    return Unavailable("Documents cannot be stored at the moment", code="object_store_unavailable", retry_after=5)


def not_a_form() -> UnsupportedMedia:
    return UnsupportedMedia("The body must be multipart/form-data", code="unsupported_media_type")


def broken_form(reason: str) -> InvalidInput:
    return InvalidInput(f"The form cannot be read: {reason}", code="bad_form", errors=[FieldError("body", reason)])


def unsupported_document(name: str) -> UnsupportedMedia:
    reason = "must be a JPEG, PNG or PDF file"
    return UnsupportedMedia("Validation failed", code="unsupported_document", errors=[FieldError(name, reason)])


def document_too_large(name: str, limit: int) -> TooLarge:
    reason = f"is larger than {limit >> 20} MiB"
    return TooLarge(f"A document {reason}", code="document_too_large", errors=[FieldError(name, reason)])
