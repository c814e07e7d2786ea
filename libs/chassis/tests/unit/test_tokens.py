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


def _part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _signed(tokens: TokenFactory, header: object, claims: object) -> str:
    """Signed with the right key over whatever is given, as no honest signer would."""
    message = f"{_part(header)}.{_part(claims)}"
    private = tokens.key.get_op_key("sign")
    return f"{message}.{_part(private.sign(message.encode()))}"


def _good(tokens: TokenFactory) -> tuple[dict[str, object], dict[str, object]]:
    token = tokens.issue(make_principal())
    decoded = jwt.decode(token, tokens.key, algorithms=["Ed25519"])
    return dict(decoded.header), dict(decoded.claims)


async def _refused(verifier: TokenVerifier, token: str) -> None:
    with pytest.raises(Unauthenticated) as raised:
        await verifier.verify(token)
    assert raised.value.code == "token_invalid"


async def test_the_signer_of_these_tests_can_make_a_good_one(tokens: TokenFactory, verifier: TokenVerifier) -> None:
    header, claims = _good(tokens)
    assert (await verifier.verify(_signed(tokens, header, claims))).is_admin is False


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "NONE", "", None, "HS256", "RS256", "ES256", "EdDSA", "ed25519", 7]
)
async def test_the_algorithm_is_pinned_even_under_a_good_signature(
    tokens: TokenFactory, verifier: TokenVerifier, algorithm: object
) -> None:
    header, claims = _good(tokens)
    await _refused(verifier, _signed(tokens, header | {"alg": algorithm}, claims))


@pytest.mark.parametrize("typ", ["JWT", "jwt", "", None, "at+jwt ", "AT+JWT", "application/at+jwt", ["at+jwt"]])
async def test_another_kind_of_token_is_none_of_ours(
    tokens: TokenFactory, verifier: TokenVerifier, typ: object
) -> None:
    header, claims = _good(tokens)
    await _refused(verifier, _signed(tokens, header | {"typ": typ}, claims))


@pytest.mark.parametrize(
    "kid",
    [
        None,
        "",
        7,
        ["x"],
        {"x": 1},
        "../../../../dev/null",
        "/etc/passwd",
        "http://127.0.0.1:1/key",
        "' OR 1=1 --",
        "x\x00y",
        "a" * 8000,
    ],
)
async def test_a_key_id_is_looked_up_and_nothing_else(
    tokens: TokenFactory, verifier: TokenVerifier, kid: object
) -> None:
    header, claims = _good(tokens)
    await _refused(verifier, _signed(tokens, header | {"kid": kid}, claims))


async def test_a_token_brings_no_key_of_its_own(tokens: TokenFactory, verifier: TokenVerifier) -> None:
    _, claims = _good(tokens)
    attacker = TokenFactory()
    public = attacker.key.as_dict(private=False)
    for extra in (
        {"jwk": public},
        {"jku": "https://attacker.example/jwks.json"},
        {"x5u": "https://attacker.example/cert.pem"},
        {"x5c": ["MIIB"]},
    ):
        for kid in (tokens.kid, attacker.kid):
            header = {"alg": "Ed25519", "typ": "at+jwt", "kid": kid, **extra}
            await _refused(verifier, _signed(attacker, header, claims))


@pytest.mark.parametrize("extra", [{"crit": ["exp"]}, {"crit": ["b64"], "b64": False}, {"crit": []}])
async def test_a_header_that_must_be_understood_is_not_skipped(
    tokens: TokenFactory, verifier: TokenVerifier, extra: dict[str, object]
) -> None:
    header, claims = _good(tokens)
    await _refused(verifier, _signed(tokens, header | extra, claims))


async def test_a_claim_named_twice_is_read_neither_way(tokens: TokenFactory, verifier: TokenVerifier) -> None:
    header, claims = _good(tokens)
    text = json.dumps(claims)
    for first in ('"role": "ADMIN", ', '"exp": 1, ', '"sub": "00000000-0000-0000-0000-000000000000", '):
        await _refused(verifier, _signed(tokens, header, ("{" + first + text[1:]).encode()))
    twice = ('{"alg": "none", ' + json.dumps(header)[1:]).encode()
    await _refused(verifier, _signed(tokens, twice, claims))


@pytest.mark.parametrize(
    "payload",
    [b"", b"null", b"[]", b'"x"', b"{", b"\xff\xfe", b"{}", b'{"exp": NaN}', b"[" * 9000, b'{"a":' * 1500, b"1" * 9000],
)
async def test_what_is_no_set_of_claims(tokens: TokenFactory, verifier: TokenVerifier, payload: bytes) -> None:
    header, _ = _good(tokens)
    await _refused(verifier, _signed(tokens, header, payload))


@pytest.mark.parametrize(
    "header", [b"[" * 9000, b'{"a":' * 1500, b"null", b"[]", b'{"alg":"Ed25519"}', b"\xff", b"1" * 9000]
)
async def test_what_is_no_header(tokens: TokenFactory, verifier: TokenVerifier, header: bytes) -> None:
    await _refused(verifier, _signed(tokens, header, {}))


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat", "iss", "aud", "jti", "sub", "sid", "role", "kyc", "mem"])
async def test_no_claim_may_be_missing(tokens: TokenFactory, verifier: TokenVerifier, claim: str) -> None:
    header, claims = _good(tokens)
    del claims[claim]
    await _refused(verifier, _signed(tokens, header, claims))


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", ["9999999999", 9999999999.5, True, None, [9999999999], -1e400])
async def test_times_are_whole_numbers(tokens: TokenFactory, verifier: TokenVerifier, name: str, value: object) -> None:
    header, claims = _good(tokens)
    await _refused(verifier, _signed(tokens, header, claims | {name: value}))


async def test_clocks_may_differ_a_little_and_no_more(tokens: TokenFactory, verifier: TokenVerifier) -> None:
    header, claims = _good(tokens)
    now = int(time.time())
    await verifier.verify(_signed(tokens, header, claims | {"nbf": now + 20, "iat": now + 20}))
    for name in ("nbf", "iat"):
        await _refused(verifier, _signed(tokens, header, claims | {name: now + 45}))


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b",
        "a.b.c.d.e",
        "é.é.é",
        "x" * 16_384,
        "." * 16_000,
        "eyJ9.e30.",
        "\x00.\x00.\x00",
        " . . ",
    ],
)
async def test_what_is_no_token(verifier: TokenVerifier, token: str) -> None:
    await _refused(verifier, token)


async def test_a_huge_token_is_not_even_read(tokens: TokenFactory, verifier: TokenVerifier) -> None:
    header, claims = _good(tokens)
    await _refused(verifier, _signed(tokens, header, claims | {"filler": "x" * 20_000}))
    await _refused(verifier, "x" * 10_000_000)


async def test_a_token_is_not_remembered_beyond_its_key(tokens: TokenFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thief of the key can sign for ten years; once the key is dropped, nothing remembers what it signed."""
    keys = {tokens.kid: tokens.key}

    class Keys:
        async def key(self, kid: str) -> object:
            return keys.get(kid)

    verifier = TokenVerifier(Keys(), issuer="cobro", audience="cobro")  # type: ignore[arg-type]
    token = tokens.issue(make_principal(), lifetime=10 * 365 * 86_400)
    await verifier.verify(token)
    keys.clear()
    await verifier.verify(token)

    later = time.time() + 301
    monkeypatch.setattr(time, "time", lambda: later)
    await _refused(verifier, token)
