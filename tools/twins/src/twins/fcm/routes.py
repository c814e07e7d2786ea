"""Google's OAuth token endpoint for service accounts, and FCM's HTTP v1 messages:send.

A device's token that contains `unregistered` stands for an app that was removed.
"""

from __future__ import annotations

import base64
import secrets
import time
from typing import Any
from urllib.parse import parse_qsl

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from twins.faults import CALL_FAULTS, FaultKind, FaultPlan, hold
from twins.outbox.messages import Outbox

GONE = "unregistered"
_SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_SECONDS = 3600
_ERROR_TYPE = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


def fcm_router(outbox: Outbox, faults: FaultPlan, private_key: str | None) -> APIRouter:
    """private_key: PEM of the service account, whose signatures are then checked; else any well-formed one does."""
    router = APIRouter(prefix="/fcm", include_in_schema=False)
    verifies = _public_of(private_key) if private_key else None
    granted: dict[str, float] = {}

    @router.post("/token")
    async def token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), max_num_fields=20))
        fault = faults.take(CALL_FAULTS, "token")
        if fault is not None and fault.kind is FaultKind.HTTP_500:
            return JSONResponse({"error": "internal_failure"}, 500)
        if form.get("grant_type") != _GRANT or not _assertion_holds(form.get("assertion", ""), request, verifies):
            return JSONResponse({"error": "invalid_grant", "error_description": "Invalid JWT"}, 400)
        access = f"ya29.{secrets.token_urlsafe(32)}"
        now = time.time()
        for old in [known for known, until in granted.items() if until < now]:
            del granted[old]
        granted[access] = now + _SECONDS
        return JSONResponse({"access_token": access, "expires_in": _SECONDS, "token_type": "Bearer"})

    @router.post("/v1/projects/{project}/messages:send")
    async def send(project: str, request: Request) -> Response:
        scheme, _, access = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or granted.get(access, 0.0) < time.time():
            return _error(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR")
        try:
            message = orjson.loads(await request.body())["message"]
            device, notification = message["token"], message["notification"]
            title, text = notification["title"], notification["body"]
        except (ValueError, KeyError, TypeError):
            return _error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")
        fault = faults.take(CALL_FAULTS, "messages.send", {str(device)})
        kind = fault.kind if fault else None
        if kind is FaultKind.TIMEOUT_BEFORE:
            return await hold(request, (fault and fault.seconds) or 60.0)
        if kind is FaultKind.HTTP_500:
            return _error(500, "INTERNAL", "INTERNAL")
        if kind is FaultKind.HTTP_429:
            return _error(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", {"Retry-After": "1"})
        if not isinstance(device, str) or not isinstance(text, str) or len(device) < 20:
            return _error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")
        if GONE in device:
            return _error(404, "NOT_FOUND", "UNREGISTERED")
        name = f"projects/{project}/messages/{secrets.token_hex(8)}"
        outbox.add("PUSH", device, project, subject=str(title), text=text, provider_id=name, provider="fcm")
        if kind is FaultKind.TIMEOUT_AFTER_CHARGING:
            return await hold(request, (fault and fault.seconds) or 60.0)
        return JSONResponse({"name": name})

    return router


def _assertion_holds(assertion: str, request: Request, key: RSAPublicKey | None) -> bool:
    parts = assertion.split(".")
    if len(parts) != 3:
        return False
    try:
        header, claims = (orjson.loads(_decoded(part)) for part in parts[:2])
        if key is not None:
            key.verify(_decoded(parts[2]), f"{parts[0]}.{parts[1]}".encode(), PKCS1v15(), hashes.SHA256())
    except (ValueError, InvalidSignature):
        return False
    return _fits(header, claims, str(request.url))


def _fits(header: Any, claims: Any, url: str) -> bool:
    if not isinstance(header, dict) or not isinstance(claims, dict):
        return False
    begins, ends = claims.get("iat"), claims.get("exp")
    if not isinstance(begins, int) or not isinstance(ends, int):
        return False
    timely = ends - begins <= _SECONDS and begins - 60 <= time.time() < ends
    return timely and (header.get("alg"), claims.get("scope"), claims.get("aud")) == ("RS256", _SCOPE, url)


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def _public_of(pem: str) -> RSAPublicKey:
    key = load_pem_private_key(pem.replace("\\n", "\n").encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("a service account has an RSA key")
    return key.public_key()


def _error(status: int, name: str, code: str, headers: dict[str, str] | None = None) -> Response:
    details = [{"@type": _ERROR_TYPE, "errorCode": code}]
    return JSONResponse(
        {"error": {"code": status, "message": code, "status": name, "details": details}}, status, headers=headers
    )
