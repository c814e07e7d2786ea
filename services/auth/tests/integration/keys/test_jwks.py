"""GET /.well-known/jwks.json."""

from __future__ import annotations

from typing import Any

import pytest
from chassis.auth import TokenVerifier
from joserfc.jwk import OKPKey

pytestmark = pytest.mark.integration


async def test_everyone_can_check_a_token_with_the_published_keys(sut: Any, world: Any) -> None:
    answer = await sut.client.get("/.well-known/jwks.json")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    keys = answer.json()["keys"]
    assert len(keys) == 2
    assert all(set(key) == {"kty", "crv", "x", "kid", "use", "alg"} for key in keys)

    class Published:
        async def key(self, kid: str) -> OKPKey | None:
            return next((OKPKey.import_key(key) for key in keys if key["kid"] == kid), None)

    account = await world.register()
    verifier = TokenVerifier(Published(), issuer="cobro", audience="cobro")
    assert (await verifier.verify(account.access_token)).user_id == account.id
