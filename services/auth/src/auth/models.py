"""All tables of the service, for whoever needs to know them all: Alembic."""

from auth.audit.models import AuditEntry
from auth.base import Base
from auth.branches.models import Branch
from auth.businesses.models import Business
from auth.codes.models import OneTimeCode
from auth.kyc.models import KycDocument, KycSubmission, KycUpload
from auth.members.models import Member
from auth.sessions.models import RefreshToken, UserSession
from auth.users.models import User

__all__ = [
    "AuditEntry",
    "Base",
    "Branch",
    "Business",
    "KycDocument",
    "KycSubmission",
    "KycUpload",
    "Member",
    "OneTimeCode",
    "RefreshToken",
    "User",
    "UserSession",
]
