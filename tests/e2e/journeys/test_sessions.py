"""Who is let in: log-in, rotation of refresh tokens, the end of a session, and tokens that are none of ours."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from joserfc.jwk import OctKey, OKPKey
from kernel import new_id

from e2e.client import Client
from e2e.merchant import Merchant, remember
from e2e.stage import Stage
from e2e.tokens import Forger, claims

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


async def refresh(stage: Stage, token: str) -> Any:
    answer = await stage.client.holding(None).post("/auth/refresh", {"refreshToken": token})
    if answer.status == 200:
        remember(stage, answer.data())
    return answer


async def test_a_wrong_password_and_an_unknown_phone_are_told_alike(stage: Stage, merchant: Merchant) -> None:
    nobody = stage.client.holding(None)
    wrong = await nobody.post("/auth/login", {"phone": merchant.phone, "password": "otra-clave-larga"})
    unknown = await nobody.post("/auth/login", {"phone": "+525500000001", "password": "otra-clave-larga"})
    assert wrong.error(401) == unknown.error(401)
    assert wrong.json["message"] == unknown.json["message"]


async def test_a_phone_registers_once(stage: Stage, merchant: Merchant) -> None:
    body = {"phone": merchant.phone, "password": "otra-clave-larga"}
    (await stage.client.holding(None).post("/auth/register", body)).error(409)


async def test_refresh_tokens_rotate_and_a_stale_one_ends_the_session(stage: Stage, merchant: Merchant) -> None:
    first = await merchant.log_in()
    second = (await refresh(stage, first["refreshToken"])).data(200)
    assert second["refreshToken"] != first["refreshToken"]
    client = merchant.client.holding(second["accessToken"])
    (await client.get("/auth/me")).data(200)

    # An answer that was lost is given again for a moment; after that the old token is a stolen one.
    assert (await refresh(stage, first["refreshToken"])).data(200)["refreshToken"] == second["refreshToken"]
    await stage.rows(
        "UPDATE auth.refresh_tokens SET used_at = used_at - interval '11 seconds' WHERE session_id = $1::uuid",
        claims(first["accessToken"])["sid"],
    )
    (await refresh(stage, first["refreshToken"])).error(401)
    (await refresh(stage, second["refreshToken"])).error(401)
    (await client.get("/auth/me")).error(401, code="session_revoked")
    # The other session of the same user goes on.
    (await merchant.client.get("/auth/me")).data(200)


async def test_log_out_is_effective_at_once_and_for_this_session_alone(stage: Stage, merchant: Merchant) -> None:
    tokens = await merchant.log_in()
    client = merchant.client.holding(tokens["accessToken"])
    (await client.get("/auth/me")).data(200)
    assert (await client.post("/auth/logout")).status == 204
    (await client.get("/auth/me")).error(401, code="session_revoked")
    (await client.get("/sales", businessId=merchant.business_id)).error(401)
    (await refresh(stage, tokens["refreshToken"])).error(401)
    (await merchant.client.get("/auth/me")).data(200)


async def test_log_out_everywhere_ends_every_session(merchant: Merchant) -> None:
    clients = [merchant.client.holding((await merchant.log_in())["accessToken"]) for _ in range(3)]
    assert (await clients[0].post("/auth/logout-all")).status == 204
    for client in (*clients, merchant.client):
        (await client.get("/auth/me")).error(401, code="session_revoked")


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()


def _tampered(forger: Forger) -> str:
    header, _, signature = forger.genuine.split(".")
    return f"{header}.{encoded({**forger.claims, 'role': 'ADMIN'})}.{signature}"


def _hmac_with_public_key(forger: Forger) -> str:
    secret = OctKey.import_key(base64.urlsafe_b64decode(forger.key.as_dict(private=False)["x"] + "="))
    return forger.signed({"alg": "HS256"}, secret)


_FORGERIES: dict[str, Callable[[Forger], str]] = {
    "expired": Forger.expired,
    "not yet": lambda forger: forger.signed(nbf=int(time.time()) + 3600, iat=int(time.time()) + 3600),
    "tampered": _tampered,
    "alg none": lambda forger: f"{encoded({**forger.header, 'alg': 'none'})}.{encoded(forger.claims)}.",
    "no signature": lambda forger: forger.genuine.rsplit(".", 1)[0] + ".",
    "two parts": lambda forger: forger.genuine.rsplit(".", 1)[0],
    "hmac with the public key": _hmac_with_public_key,
    "another key": lambda forger: forger.signed(key=OKPKey.generate_key("Ed25519")),
    "unknown key id": lambda forger: forger.signed({"kid": "nobody"}),
    "key id of a path": lambda forger: forger.signed({"kid": "../../etc/passwd"}),
    "another issuer": lambda forger: forger.signed(iss="https://evil.example"),
    "another audience": lambda forger: forger.signed(aud="other"),
    "another type": lambda forger: forger.signed({"typ": "JWT"}),
    "no subject": lambda forger: forger.signed(sub=None),
    "no session": lambda forger: forger.signed(sid=None),
    "no expiry": lambda forger: forger.signed(exp=None),
    "expiry as text": lambda forger: forger.signed(exp="never"),
    "odd role": lambda forger: forger.signed(role="ROOT"),
    "odd memberships": lambda forger: forger.signed(mem={"b": 1}),
    "a session that never was": lambda forger: forger.signed(sid=str(new_id())),
    "empty": lambda forger: "",
    "dots": lambda forger: "..",
    "rubbish": lambda forger: "e30.e30.e30",
    "very long": lambda forger: "a" * 8_000,
}


@pytest.fixture
def forger(stage: Stage, merchant: Merchant) -> Forger:
    return Forger(stage, merchant.tokens["accessToken"])


async def test_the_forger_could_do_it(forger: Forger, merchant: Merchant) -> None:
    """Otherwise what follows would prove nothing."""
    (await merchant.client.holding(forger.signed()).get("/auth/me")).data(200)


@pytest.mark.parametrize("forgery", _FORGERIES)
async def test_tokens_that_are_none_of_ours_open_nothing(
    stage: Stage, merchant: Merchant, forger: Forger, forgery: str
) -> None:
    token = _FORGERIES[forgery](forger)
    for path in ("/auth/me", "/businesses", f"/products?businessId={merchant.business_id}"):
        answer = await stage.client.holding(token).call("GET", path)
        answer.error(401)
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("forgery", sorted(_FORGERIES.keys() - {"a session that never was"}))
async def test_passing_the_gateway_by_gains_nothing(
    stage: Stage, merchant: Merchant, forger: Forger, forgery: str
) -> None:
    token = _FORGERIES[forgery](forger)
    paths = {
        "auth": "/auth/me",
        "catalog": "/products",
        "sales": "/sales",
        "payments": "/payments",
        "billing": "/invoices",
        "notifications": "/notifications",
        "webhooks": "/webhook-events",
        "analytics": f"/analytics/summary?businessId={merchant.business_id}",
    }
    for service, path in paths.items():
        async with Client(stage.suite.url(service), token=token) as client:
            (await client.call("GET", path)).error(401)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "bearer\tx", "Token x", "Bearer é"])
async def test_an_authorization_that_is_none(stage: Stage, header: str) -> None:
    nobody = stage.client.holding(None)
    (await nobody.call("GET", "/auth/me", headers={"Authorization": header})).error(400, 401)


async def test_a_refresh_token_is_no_access_token(stage: Stage, merchant: Merchant) -> None:
    (await stage.client.holding(merchant.tokens["refreshToken"]).get("/auth/me")).error(401)
    (await refresh(stage, merchant.tokens["accessToken"])).error(400, 401)
