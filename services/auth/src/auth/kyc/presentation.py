"""A submission as clients see one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chassis.crypto import FieldCipher

from auth.kyc.models import KycDocument, KycSubmission
from auth.kyc.schemas import KycDocumentResponse, SubmissionResponse, SubmissionSummary
from auth.sealing import reveal
from auth.users.schemas import KycLevel


def summarize(cipher: FieldCipher, submission: KycSubmission) -> SubmissionSummary:
    return SubmissionSummary.model_validate(_summary(cipher, submission))


def present(
    cipher: FieldCipher,
    submission: KycSubmission,
    documents: Iterable[KycDocument],
    *,
    other_accounts: int | None = None,
) -> SubmissionResponse:
    """Documents that have been deleted are left out."""
    there = [] if submission.documents_deleted_at is not None else documents
    return SubmissionResponse(
        **_summary(cipher, submission),
        document_number=reveal(cipher, submission, "document_number"),
        tax_id=reveal(cipher, submission, "tax_id"),
        documents=[KycDocumentResponse.model_validate(document) for document in there],
        other_accounts=other_accounts,
    )


def _summary(cipher: FieldCipher, submission: KycSubmission) -> dict[str, Any]:
    return {
        "id": submission.id,
        "user_id": submission.user_id,
        "level": KycLevel(f"LEVEL_{submission.level}"),
        "status": submission.status,
        "country": submission.country,
        "document_type": submission.document_type,
        "rejection_reason": reveal(cipher, submission, "rejection_reason"),
        "created_at": submission.created_at,
        "closed_at": submission.closed_at,
    }
