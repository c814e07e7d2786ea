"""What this service's use cases work with, put together once in app.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from chassis.auth import Access
from chassis.crypto import BlindIndex, FieldCipher
from chassis.database import Database
from chassis.database.idempotency import Idempotency
from chassis.http.app import context_of
from kernel import Clock

from auth.codes.derivation import CodeDerivation
from auth.keys.keyring import Keyring
from auth.kyc.documents import Retention
from auth.kyc.uploads import UploadSlots
from auth.kyc.vault import DocumentVault
from auth.passwords.hashing import PasswordHasher
from auth.passwords.policy import PasswordPolicy
from auth.sessions.states import SessionStates
from auth.sessions.tokens import AccessTokens, RefreshTokens
from auth.throttling.service import Throttle


@dataclass(frozen=True, slots=True)
class AuthContext:
    clock: Clock
    database: Database
    idempotency: Idempotency
    access: Access
    cipher: FieldCipher
    blind_index: BlindIndex
    keyring: Keyring
    access_tokens: AccessTokens
    refresh_tokens: RefreshTokens
    session_states: SessionStates
    passwords: PasswordHasher
    password_policy: PasswordPolicy
    codes: CodeDerivation
    throttle: Throttle
    documents: DocumentVault
    kyc_uploads: UploadSlots
    kyc_retention: Retention
    fingerprint_key: bytes

    def phone_index(self, phone: str) -> bytes:
        """Where a user with this phone, in E.164, is found."""
        return self.blind_index.of(phone, column="users.phone")

    def email_index(self, email: str) -> bytes:
        """Where a user with this e-mail address is found."""
        # Mail servers that tell upper from lower case in the local part are unheard of; people who type it so are not.
        return self.blind_index.of(email.casefold(), column="users.email")


Ctx = Annotated[AuthContext, context_of(AuthContext)]
