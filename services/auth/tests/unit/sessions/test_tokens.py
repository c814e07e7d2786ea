"""Access and refresh tokens."""

import base64
import secrets
from datetime import UTC, datetime

import pytest
from auth.keys.keyring import Keyring
from auth.sessions.tokens import AccessTokens, RefreshTokens, claimable
from chassis.auth import BusinessRole, Membership, Principal, TokenVerifier
from chassis.testing.tokens import make_principal
from joserfc.jws import extract_compact
from kernel import Unauthenticated, new_id


def make_seed() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def issue(keyring: Keyring, principal: Principal) -> str:
    return AccessTokens(keyring, issuer="cobro", audience="cobro").issue(principal, at=datetime.now(UTC))


async def test_a_token_says_who_its_bearer_is() -> None:
    keyring = Keyring(make_seed())
    principal = make_principal(owns=[new_id()], works_at=[(new_id(), [new_id(), new_id()])], kyc_level=1)
    token = issue(keyring, principal)
    assert await TokenVerifier(keyring, issuer="cobro", audience="cobro").verify(token) == principal
    assert extract_compact(token.encode()).headers() == {
        "alg": "Ed25519",
        "typ": "at+jwt",
        "kid": keyring.signing_key_id,
    }


async def test_after_a_rotation_both_keys_verify_until_the_old_one_is_dropped() -> None:
    old, new = make_seed(), make_seed()
    token = issue(Keyring(old), make_principal())
    await TokenVerifier(Keyring(new, [old]), issuer="cobro", audience="cobro").verify(token)
    with pytest.raises(Unauthenticated):
        await TokenVerifier(Keyring(new), issuer="cobro", audience="cobro").verify(token)


def test_a_successor_is_one_and_the_same_and_needs_the_secret() -> None:
    tokens = RefreshTokens("s" * 32)
    first = tokens.first()
    assert tokens.successor(first) == tokens.successor(first)
    assert len({first, tokens.first(), tokens.successor(first), RefreshTokens("t" * 32).successor(first)}) == 4
    assert tokens.digest(first) != RefreshTokens("t" * 32).digest(first)
    assert len(base64.urlsafe_b64decode(first + "=")) == 32


def test_a_token_has_room_for_what_fits_in_a_header() -> None:
    owned = [Membership(new_id(), BusinessRole.OWNER) for _ in range(100)]
    crowded = Membership(new_id(), BusinessRole.EMPLOYEE, frozenset(new_id() for _ in range(59)))
    assert list(claimable(owned)) == [membership.business_id for membership in owned[:60]]
    assert list(claimable([owned[0], crowded, owned[1]])) == [owned[0].business_id, owned[1].business_id]
    assert list(claimable([crowded, owned[0]])) == [crowded.business_id]
    principal = make_principal(owns=[membership.business_id for membership in claimable(owned).values()])
    assert len(issue(Keyring(make_seed()), principal)) < 7_000
