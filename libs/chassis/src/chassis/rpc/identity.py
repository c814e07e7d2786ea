"""Which service is calling: a short-lived HMAC token in the call's metadata, made for one callee.

HS256 under SERVICE_AUTH_SECRET; claims iss (the caller), aud (the callee), iat, exp. mTLS in the cluster comes on top.
"""

from __future__ import annotations

import time

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from kernel import Unauthenticated

METADATA_KEY = "x-cobro-service"
_LIFETIME = 300
_RENEW_BEFORE = 60


class ServiceIdentity:
    """Signs for this service, checks for its callers. Signed and checked tokens are remembered until they expire."""

    def __init__(self, service: str, secret: str) -> None:
        self._service = service
        self._key = OctKey.import_key(secret)
        self._signed: dict[str, tuple[float, str]] = {}
        self._checked: dict[str, tuple[float, str]] = {}

    def token_for(self, callee: str) -> str:
        now = time.time()
        expires, token = self._signed.get(callee, (0.0, ""))
        if expires - now < _RENEW_BEFORE:
            expires = now + _LIFETIME
            claims = {"iss": self._service, "aud": callee, "iat": int(now), "exp": int(expires)}
            token = jwt.encode({"alg": "HS256", "typ": "svc+jwt"}, claims, self._key, algorithms=["HS256"])
            self._signed[callee] = (expires, token)
        return token

    def caller_of(self, token: str) -> str:
        """The calling service's name. Raises Unauthenticated."""
        now = time.time()
        expires, caller = self._checked.get(token, (0.0, ""))
        if expires > now:
            return caller
        try:
            decoded = jwt.decode(token, self._key, algorithms=["HS256"])
            claims = decoded.claims
            valid = (
                decoded.header.get("typ") == "svc+jwt"
                and claims["aud"] == self._service
                and int(claims["exp"]) > now
                and int(claims["iat"]) < now + 30
            )
            caller, expires = str(claims["iss"]), float(claims["exp"])
        except (JoseError, ValueError, KeyError, TypeError):
            valid = False
        if not valid:
            raise Unauthenticated("The calling service is not known", code="service_identity_invalid")
        if len(self._checked) > 1000:
            self._checked.clear()
        self._checked[token] = (expires, caller)
        return caller
