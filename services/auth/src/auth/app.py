"""The composition root."""

from __future__ import annotations

import hmac
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

from chassis.auth import Access, TokenVerifier
from chassis.http.middleware import BodyLimits
from chassis.objectstore import open_object_store
from chassis.reencryption import sealed_tables
from chassis.rpc.server import RpcService
from chassis.runtime import Job, Kit, Service
from contracts.auth.v1 import directory_pb2, directory_pb2_grpc

from auth.administration.routes import router as administration_router
from auth.audit.reencryption import note_reencryption
from auth.audit.routes import router as audit_router
from auth.branches.routes import router as branches_router
from auth.businesses.routes import router as businesses_router
from auth.codes import service as codes
from auth.codes.derivation import CodeDerivation
from auth.codes.routes import router as verification_router
from auth.codes.rpc import CodesServicer
from auth.context import AuthContext
from auth.directory.rpc import DirectoryServicer
from auth.keys.keyring import Keyring
from auth.keys.routes import router as keys_router
from auth.kyc import retention
from auth.kyc.documents import Retention
from auth.kyc.form import MAX_BODY
from auth.kyc.reencryption import KycDocuments
from auth.kyc.routes import UPLOAD_PATH
from auth.kyc.routes import router as kyc_router
from auth.kyc.uploads import UploadSlots
from auth.kyc.vault import DocumentVault
from auth.members.repository import StoredMemberships
from auth.members.routes import router as members_router
from auth.memberships.routes import router as memberships_router
from auth.models import Base
from auth.passwords.hashing import PasswordHasher
from auth.passwords.policy import PasswordPolicy
from auth.passwords.routes import router as passwords_router
from auth.sessions import service as sessions
from auth.sessions.routes import router as sessions_router
from auth.sessions.rpc import SessionsServicer
from auth.sessions.source import StoredSessions
from auth.sessions.states import SessionStates
from auth.sessions.tokens import AccessTokens, RefreshTokens
from auth.settings import AuthSettings
from auth.throttling.service import Throttle
from auth.users.routes import router as users_router

MIGRATIONS = Path(__file__).parents[2] / "migrations"

_ANNOUNCE_EVERY = 5.0
_FORGET_EVERY = 3600.0
_ABANDONED_EVERY = 600.0


async def build(kit: Kit[AuthSettings]) -> Service:
    ctx = context(kit)
    # Its own keys are at hand: asking itself over HTTP would only fail while it starts.
    kit.verifier = TokenVerifier(ctx.keyring, issuer=kit.common.jwt_issuer, audience=kit.common.jwt_audience)
    kit.on_close(ctx.passwords.close)
    services = directory_pb2.DESCRIPTOR.services_by_name
    return Service(
        context=ctx,
        session_source=StoredSessions(ctx),
        routers=[
            users_router,
            sessions_router,
            verification_router,
            passwords_router,
            memberships_router,
            businesses_router,
            branches_router,
            members_router,
            administration_router,
            audit_router,
            kyc_router,
            keys_router,
        ],
        rpc=[
            RpcService(
                services["Directory"].full_name,
                directory_pb2_grpc.add_DirectoryServicer_to_server,
                DirectoryServicer(ctx),
            ),
            RpcService(
                services["Sessions"].full_name,
                directory_pb2_grpc.add_SessionsServicer_to_server,
                SessionsServicer(ctx),
            ),
            RpcService(
                services["Codes"].full_name,
                directory_pb2_grpc.add_CodesServicer_to_server,
                CodesServicer(ctx),
                callers=frozenset({"notifications"}),
            ),
        ],
        jobs=[
            Job("sessions-announce", _ANNOUNCE_EVERY, lambda: sessions.announce_waiting(ctx)),
            Job("sessions-forget", _FORGET_EVERY, lambda: sessions.forget_old(ctx)),
            Job("kyc-abandoned-uploads", _ABANDONED_EVERY, lambda: retention.delete_abandoned(ctx)),
            Job("kyc-expired-documents", _FORGET_EVERY, lambda: retention.delete_expired(ctx)),
            Job("codes-forget", _FORGET_EVERY, lambda: codes.forget_old(ctx)),
        ],
        body_limit=BodyLimits({UPLOAD_PATH: MAX_BODY}),
        sealed=[*sealed_tables(Base), KycDocuments(ctx.documents)],
        on_reencrypted=lambda outcome: note_reencryption(ctx, outcome),
    )


def context(kit: Kit[AuthSettings]) -> AuthContext:
    """What use cases work with: for the service, and for a command that runs beside it."""
    settings, common = kit.settings, kit.common
    pepper = settings.password_pepper.get_secret_value()
    keyring = Keyring(
        settings.jwt_secret.get_secret_value(),
        [secret.get_secret_value() for secret in settings.previous_jwt_secrets],
    )
    return AuthContext(
        clock=kit.clock,
        database=kit.database,
        idempotency=kit.idempotency,
        access=Access(StoredMemberships(kit.database)),
        cipher=kit.cipher,
        blind_index=kit.blind_index,
        keyring=keyring,
        access_tokens=AccessTokens(keyring, issuer=common.jwt_issuer, audience=common.jwt_audience),
        refresh_tokens=RefreshTokens(settings.jwt_refresh_secret.get_secret_value()),
        session_states=SessionStates(kit.cache.redis),
        passwords=PasswordHasher(
            pepper, cost=settings.bcrypt_cost, threads=settings.password_threads, queue=settings.password_queue
        ),
        password_policy=PasswordPolicy(),
        codes=CodeDerivation(pepper),
        throttle=Throttle(kit.cache.redis, kit.blind_index, kit.clock),
        documents=DocumentVault(open_object_store(settings.object_store_url), kit.cipher),
        kyc_uploads=UploadSlots(count=settings.kyc_uploads, seconds=settings.kyc_upload_seconds),
        kyc_retention=Retention(
            approved=timedelta(days=settings.kyc_approved_days), others=timedelta(days=settings.kyc_other_days)
        ),
        fingerprint_key=hmac.digest(pepper.encode(), b"idempotency fingerprint", sha256),
    )
