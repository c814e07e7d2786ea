"""GET and PATCH /auth/me."""

from __future__ import annotations

from typing import Any

import pytest
from chassis.testing.tokens import make_principal
from kernel import new_id

pytestmark = pytest.mark.integration


async def test_only_named_fields_change(sut: Any, world: Any) -> None:
    account = await world.register(firstName="Lupita", lastName="Demo")
    answer = await sut.client.patch("/api/v1/auth/me", json={"firstName": "Guadalupe"}, headers=account.headers)
    assert answer.status_code == 200
    assert (answer.json()["data"]["firstName"], answer.json()["data"]["lastName"]) == ("Guadalupe", "Demo")
    answer = await sut.client.patch("/api/v1/auth/me", json={"lastName": None}, headers=account.headers)
    assert answer.json()["data"]["lastName"] is None
    [row] = await world.sql("SELECT version FROM users WHERE id = :id", id=account.id)
    assert row.version == 3


async def test_an_empty_change_changes_nothing(sut: Any, world: Any) -> None:
    account = await world.register(firstName="Lupita")
    before = (await world.get("/auth/me", account.headers)).json()
    for body in ({}, {"firstName": "Lupita"}):
        answer = await sut.client.patch("/api/v1/auth/me", json=body, headers=account.headers)
        assert answer.json() == before
    [row] = await world.sql("SELECT version FROM users WHERE id = :id", id=account.id)
    assert row.version == 1


async def test_a_new_email_is_unverified_and_unique(sut: Any, world: Any) -> None:
    email = f"e{new_id()}@example.com"
    account, other = await world.register(email=email), await world.register()
    await world.sql("UPDATE users SET email_verified_at = now() WHERE id = :id RETURNING id", id=account.id)
    assert (await world.get("/auth/me", account.headers)).json()["data"]["emailVerified"] is True
    taken = await sut.client.patch("/api/v1/auth/me", json={"email": email}, headers=other.headers)
    assert (taken.status_code, taken.json()["code"]) == (409, "email_taken")
    answer = await sut.client.patch(
        "/api/v1/auth/me", json={"email": f"n{new_id()}@example.com"}, headers=account.headers
    )
    assert answer.json()["data"]["emailVerified"] is False
    # The address it had is free again.
    answer = await sut.client.patch("/api/v1/auth/me", json={"email": email}, headers=other.headers)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "change", [{"phone": "+525512345678"}, {"role": "ADMIN"}, {"kycLevel": "LEVEL_2"}, {"id": "x"}]
)
async def test_what_is_not_the_callers_to_change(sut: Any, world: Any, change: dict[str, Any]) -> None:
    account = await world.register()
    answer = await sut.client.patch("/api/v1/auth/me", json=change, headers=account.headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")


async def test_a_session_is_needed(sut: Any, world: Any) -> None:
    assert (await world.get("/auth/me")).json()["code"] == "token_missing"
    assert (await world.get("/auth/me", {"Authorization": "Bearer nonsense"})).json()["code"] == "token_invalid"
    unknown = await world.get("/auth/me", sut.as_(make_principal()))
    assert (unknown.status_code, unknown.json()["code"]) == (401, "session_revoked")


async def test_a_deleted_user_is_gone_at_once(world: Any) -> None:
    account = await world.register()
    await world.delete_user(account)
    assert (await world.get("/auth/me", account.headers)).status_code == 401
    body = {"phone": account.phone, "password": account.password}
    assert (await world.post("/auth/login", body)).json()["code"] == "invalid_credentials"
    assert (await world.post("/auth/refresh", {"refreshToken": account.refresh_token})).status_code == 401
    # A request that the gateway let through a moment before.
    last = world.as_(make_principal(user_id=account.id))
    answer = await world.post("/businesses", {"name": "Abarrotes", "country": "MX"}, last)
    assert (answer.status_code, answer.json()["code"]) == (401, "user_gone")
