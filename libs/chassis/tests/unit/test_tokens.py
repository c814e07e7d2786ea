import base64
import json
import time

import pytest
from chassis.auth.tokens import TokenVerifier
from chassis.testing.tokens import TokenFactory, make_principal
from joserfc import jwt
from joserfc.jwk import OctKey
from kernel import Unauthenticated, new_id


@pytest.fixture(scope="module")
def tokens() -> TokenFactory:
    return TokenFactory()


@pytest.fixture
def verifier(tokens: TokenFactory) -> TokenVerifier:
    return tokens.verifier()


async def test_round_trip(tokens: TokenFactory, verifier: TokenVerifier) -> None:
    principal = make_principal(owns=[new_id()], works_at=[(new_id(), [new_id(), new_id()])], kyc_level=1)

    assert await verifier.verify(tokens.issue(principal)) == principal


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "other"},
        {"aud": "other"},
        {"aud": ["cobro"]},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"nbf": int(time.time()) + 3600},
        {"iat": int(time.time()) + 3600},
        {"jti": ""},
        {"sub": "not-a-uuid"},
        {"role": "GOD"},
        {"mem": "all"},
        {"mem": [{"b": "x", "r": "OWNER", "br": []}]},
    ],
)
async def test_every_claim_counts(tokens: TokenFactory, verifier: TokenVerifier, claims: dict[str, object]) -> None:
    with pytest.raises(Unauthenticated) as raised:
        await verifier.verify(tokens.issue(make_principal(), **claims))
    assert raised.value.code == "token_invalid"


async def test_expired(tokens: TokenFactory, verifier: TokenVerifier) -> None:
    with pytest.raises(Unauthenticated) as raised:
        await verifier.verify(tokens.issue(make_principal(), lifetime=-1))
    assert raised.value.code == "token_expired"


async def test_a_remembered_token_still_expires(
    tokens: TokenFactory, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tokens.issue(make_principal(), lifetime=60)
    await verifier.verify(token)
    later = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: later)

    with pytest.raises(Unauthenticated) as raised:
        await verifier.verify(token)
    assert raised.value.code == "token_expired"


@pytest.mark.parametrize("header", [{"typ": "JWT"}, {"kid": "unknown"}, {"kid": ""}])
async def test_every_header_counts(tokens: TokenFactory, verifier: TokenVerifier, header: dict[str, object]) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.verify(tokens.issue(make_principal(), header=header))


async def test_a_flipped_bit_anywhere(tokens: TokenFactory, verifier: TokenVerifier) -> None:
    token = tokens.issue(make_principal())
    for position in range(0, len(token), 7):
        replacement = "A" if token[position] != "A" else "B"
        tampered = token[:position] + replacement + token[position + 1 :]
        if tampered == token or (position == len(token) - 1):
            continue
        with pytest.raises(Unauthenticated):
            await verifier.verify(tampered)


async def test_alg_none_and_hmac_with_the_public_key(tokens: TokenFactory, verifier: TokenVerifier) -> None:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = jwt.decode(tokens.issue(make_principal()), tokens.key, algorithms=["Ed25519"]).claims
    public = OctKey.import_key(json.dumps(tokens.key.as_dict(private=False)))
    forged = [
        f"{part({'alg': 'none', 'typ': 'at+jwt', 'kid': tokens.kid})}.{part(claims)}.",
        jwt.encode({"alg": "HS256", "typ": "at+jwt", "kid": tokens.kid}, claims, public, algorithms=["HS256"]),
    ]
    for token in [*forged, "", "a.b.c", "....", "x" * 20_000, "é.é.é"]:
        with pytest.raises(Unauthenticated):
            await verifier.verify(token)
