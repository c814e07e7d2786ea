"""JSON Web Key Set, spelled as RFC 7517 and RFC 8037 spell it."""

from __future__ import annotations

from pydantic import BaseModel


class JsonWebKey(BaseModel):
    kty: str
    crv: str
    x: str
    kid: str
    use: str
    alg: str


class JsonWebKeySet(BaseModel):
    keys: list[JsonWebKey]
