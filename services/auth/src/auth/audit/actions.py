"""What can stand in the audit log."""

from __future__ import annotations

from enum import StrEnum


class AuditAction(StrEnum):
    """`<subject>.<what happened>`; a value that was ever written is never renamed."""

    USER_REGISTERED = "user.registered"
    USER_PROFILE_CHANGED = "user.profile_changed"
    USER_ROLE_CHANGED = "user.role_changed"
    USER_DELETED = "user.deleted"
    USER_PHONE_VERIFIED = "user.phone_verified"
    USER_EMAIL_VERIFIED = "user.email_verified"

    LOGIN_SUCCEEDED = "login.succeeded"
    LOGIN_FAILED = "login.failed"
    SESSION_ENDED = "session.ended"
    SESSIONS_ENDED = "session.all_ended"
    REFRESH_TOKEN_REUSED = "session.refresh_token_reused"  # noqa: S105

    PASSWORD_CHANGED = "password.changed"  # noqa: S105
    PASSWORD_RESET_REQUESTED = "password.reset_requested"  # noqa: S105
    PASSWORD_RESET = "password.reset"  # noqa: S105

    KYC_SUBMITTED = "kyc.submitted"
    KYC_APPROVED = "kyc.approved"
    KYC_REJECTED = "kyc.rejected"
    KYC_WITHDRAWN = "kyc.withdrawn"
    KYC_DOCUMENT_READ = "kyc.document_read"

    BUSINESS_CREATED = "business.created"
    BUSINESS_CHANGED = "business.changed"
    BUSINESS_DELETED = "business.deleted"
    BRANCH_CREATED = "branch.created"
    BRANCH_CHANGED = "branch.changed"
    BRANCH_DELETED = "branch.deleted"
    MEMBER_INVITED = "member.invited"
    MEMBER_ADDED = "member.added"
    MEMBER_CHANGED = "member.changed"
    MEMBER_REMOVED = "member.removed"

    ADMIN_CREATED = "admin.created"
    FIELDS_REENCRYPTED = "fields.reencrypted"

    @property
    def subject_type(self) -> str:
        """What `subject_id` of an entry is the id of."""
        return self.value.partition(".")[0]
