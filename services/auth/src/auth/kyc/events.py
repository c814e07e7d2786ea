"""What others are told about reviews."""

from __future__ import annotations

from contracts.events.auth import UserKycReviewed

from auth.kyc.models import KycSubmission
from auth.kyc.status import SubmissionStatus


def reviewed(submission: KycSubmission) -> UserKycReviewed:
    return UserKycReviewed(
        aggregate_id=submission.id,
        aggregate_version=submission.version,
        user_id=submission.user_id,
        level=submission.level,
        approved=submission.status == SubmissionStatus.APPROVED,
    )
