"""A user as clients see one."""

from __future__ import annotations

from chassis.auth import Role
from chassis.crypto import FieldCipher

from auth.sealing import reveal
from auth.users.languages import Language
from auth.users.models import User
from auth.users.schemas import KycLevel, UserResponse


def present(cipher: FieldCipher, user: User) -> UserResponse:
    return UserResponse(
        id=user.id,
        phone=reveal(cipher, user, "phone"),
        phone_verified=user.phone_verified_at is not None,
        email=reveal(cipher, user, "email"),
        email_verified=user.email_verified_at is not None,
        first_name=reveal(cipher, user, "first_name"),
        last_name=reveal(cipher, user, "last_name"),
        language=Language(user.language),
        role=Role(user.role),
        kyc_level=KycLevel(f"LEVEL_{user.kyc_level}"),
        created_at=user.created_at,
        updated_at=user.updated_at,
    )
