"""POST /auth/register."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from contracts.events.auth import UserRegistered
from kernel import new_id

pytestmark = pytest.mark.integration

PASSWORD = "correct horse battery"


async def test_a_merchant_registers_and_is_logged_in(sut: Any, world: Any) -> None:
    phone = world.phone()
    body = {"phone": phone, "password": PASSWORD, "email": f"lupita{phone[1:]}@example.com", "firstName": "Lupita"}
    answer = await world.post("/auth/register", body)
    assert answer.status_code == 201
    data = answer.json()["data"]
    assert data["tokenType"] == "Bearer"
    assert data["expiresIn"] == 900
    user = data["user"]
    assert user | {"id": "", "createdAt": "", "updatedAt": ""} == {
        "id": "",
        "phone": phone,
        "phoneVerified": False,
        "email": body["email"],
        "emailVerified": False,
        "firstName": "Lupita",
        "lastName": None,
        "language": "es",
        "role": "MERCHANT",
        "kycLevel": "LEVEL_0",
        "createdAt": "",
        "updatedAt": "",
    }
    me = await world.get("/auth/me", {"Authorization": f"Bearer {data['accessToken']}"})
    assert me.json()["data"] == user
    [event] = await sut.published(aggregate_id=UUID(user["id"]))
    assert event == UserRegistered(aggregate_id=UUID(user["id"]), aggregate_version=1, role="MERCHANT")


async def test_a_phone_is_registered_once(world: Any) -> None:
    account = await world.register()
    answer = await world.post("/auth/register", {"phone": account.phone, "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (409, "phone_taken")
    assert answer.json()["errors"] == [{"field": "phone", "message": "is already registered"}]


async def test_of_ten_registrations_at_once_one_wins(world: Any) -> None:
    phone = world.phone()
    answers = await asyncio.gather(
        *(world.post("/auth/register", {"phone": phone, "password": f"{PASSWORD} {n}"}) for n in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"phone_taken"}


async def test_an_email_is_registered_once_however_it_is_written(world: Any) -> None:
    account = await world.register(email=f"Dueña{new_id()}@example.com")
    email = (await world.get("/auth/me", account.headers)).json()["data"]["email"]
    answer = await world.post(
        "/auth/register", {"phone": world.phone(), "password": PASSWORD, "email": email.swapcase()}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")


async def test_a_deleted_users_phone_is_free_again(world: Any) -> None:
    account = await world.register()
    await world.delete_user(account)
    assert (await world.register(phone=account.phone)).id != account.id


async def test_a_repeated_request_registers_once(sut: Any, world: Any) -> None:
    body = {"phone": world.phone(), "password": PASSWORD}
    key = {"Idempotency-Key": str(new_id())}
    first = await world.post("/auth/register", body, key)
    again = await world.post("/auth/register", body, key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(await sut.published(UserRegistered, aggregate_id=UUID(first.json()["data"]["user"]["id"]))) == 1


async def test_nobody_replays_anothers_answer_by_knowing_the_key(world: Any) -> None:
    key = {"Idempotency-Key": str(new_id())}
    phone = world.phone()
    assert (await world.post("/auth/register", {"phone": phone, "password": PASSWORD}, key)).status_code == 201
    thief = await world.post("/auth/register", {"phone": phone, "password": "another password"}, key)
    assert (thief.status_code, thief.json()["code"]) == (409, "phone_taken")


async def test_a_stored_fingerprint_cannot_be_recomputed_from_the_request(world: Any) -> None:
    import hashlib

    import orjson

    body = {"phone": world.phone(), "password": PASSWORD}
    key = str(new_id())
    assert (await world.post("/auth/register", body, {"Idempotency-Key": key})).status_code == 201
    plain = hashlib.sha256(b"/api/v1/auth/register?\n" + orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).digest()
    [row] = await world.sql("SELECT fingerprint, principal_id FROM idempotency_keys WHERE key = :key", key=key)
    assert bytes(row.fingerprint) != plain


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"phone": None}, "phone"),
        ({"phone": "5512345678"}, "phone"),
        ({"phone": "+52 55 1234 5678"}, "phone"),
        ({"phone": "'; DROP TABLE users; --"}, "phone"),
        ({"phone": 525512345678}, "phone"),
        ({"phone": ["+525512345678"]}, "phone"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 257}, "password"),
        ({"password": "12345678"}, "password"),
        ({"password": "Contraseña"}, "password"),
        ({"password": 12345678901}, "password"),
        ({"password": "\ud800 lone surrogate"}, "password"),
        ({"email": "nobody"}, "email"),
        ({"email": "x" * 10_000 + "@example.com"}, "email"),
        ({"firstName": ""}, "firstName"),
        ({"firstName": "Lu\x00pita"}, "firstName"),
        ({"firstName": "L" * 10_000}, "firstName"),
        ({"lastName": "\udfff"}, "lastName"),
        ({"role": "ADMIN"}, "role"),
        ({"isAdmin": True}, "isAdmin"),
        ({"\ud800": 1}, None),
    ],
)
async def test_bad_input_is_named(sut: Any, world: Any, change: dict[str, Any], field: str | None) -> None:
    import json

    body = json.dumps({"phone": world.phone(), "password": PASSWORD, **change})
    answer = await sut.client.post("/api/v1/auth/register", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "validation_failed"
    if field is not None:
        assert {error["field"] for error in answer.json()["errors"]} == {field}
    assert PASSWORD not in answer.text


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"phone": 1e999999}']
)
async def test_a_malformed_body_is_a_400(sut: Any, body: bytes) -> None:
    answer = await sut.client.post("/api/v1/auth/register", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert set(answer.json()) == {"statusCode", "message", "code", "errors", "requestId"}


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "Robert'); DROP TABLE users;--", "👩‍🌾 Ñandú", "${7*7}"])
async def test_strange_names_are_only_names(world: Any, name: str) -> None:
    account = await world.register(firstName=name)
    assert (await world.get("/auth/me", account.headers)).json()["data"]["firstName"] == name


async def test_a_blank_in_a_password_counts(world: Any) -> None:
    account = await world.register(password="  blanks around  ")
    stripped = await world.post("/auth/login", {"phone": account.phone, "password": "blanks around"})
    assert stripped.status_code == 401
    assert await world.login(account)


async def test_nothing_about_a_person_is_stored_in_clear(world: Any) -> None:
    account = await world.register(email=f"e{new_id()}@example.com", firstName="Guadalupe", lastName="Treviño")
    await world.open_business(account, legalName="Guadalupe Treviño", phone=account.phone, email="negocio@example.com")
    rows = await world.sql(
        "SELECT (u.*)::text AS person, (b.*)::text AS business FROM users u JOIN businesses b ON b.owner_id = u.id"
        " WHERE u.id = :id",
        id=account.id,
    )
    dump = str(rows) + str(await world.sql("SELECT body::text FROM outbox"))
    for secret in (account.phone, account.phone[3:], "@example.com", "Guadalupe", "Treviño", "EKU9003173C9"):
        assert secret not in dump
    assert account.password not in dump
