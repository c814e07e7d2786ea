"""The service with its real database, and people who use it."""

from __future__ import annotations

import base64
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import httpx
import pytest
from auth.app import MIGRATIONS, build
from auth.settings import AuthSettings
from chassis.auth import BusinessRole
from chassis.database import UnitOfWork
from chassis.testing.service import ServiceUnderTest, running_service
from fastapi import FastAPI
from kernel import new_id
from sqlalchemy import text

PASSWORD = "correct horse battery"


def _key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


@pytest.fixture(scope="session")
async def sut() -> AsyncIterator[ServiceUnderTest]:
    environment = {
        "JWT_SECRET": _key(),
        "AUTH_PREVIOUS_JWT_SECRETS": _key(),
        "JWT_REFRESH_SECRET": _key(),
        "PASSWORD_PEPPER": _key(),
        "AUTH_BCRYPT_COST": "4",
    }
    async with running_service("auth", AuthSettings, build, migrations=MIGRATIONS, environment=environment) as running:
        # Tokens that this service issues are checked against the real time, so its clock starts there.
        running.clock.advance(datetime.now(UTC) - running.clock.now())
        # Tokens that a test makes up are signed as this service signs.
        running.tokens.key = running.context.keyring.signing_key
        running.tokens.kid = running.context.keyring.signing_key_id
        yield running


@dataclass(frozen=True, slots=True)
class Account:
    """A registered user and their first session."""

    id: UUID
    phone: str
    password: str
    access_token: str
    refresh_token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}"}


class World:
    """Makes what a test needs through the service's own API."""

    def __init__(self, sut: ServiceUnderTest) -> None:
        self.sut = sut

    def phone(self) -> str:
        return "+5255" + "".join(secrets.choice("0123456789") for _ in range(8))

    async def post(self, path: str, json: Any = None, headers: dict[str, str] | None = None) -> Any:
        return await self.sut.client.post(f"/api/v1{path}", json=json, headers=headers)

    async def get(self, path: str, headers: dict[str, str] | None = None) -> Any:
        return await self.sut.client.get(f"/api/v1{path}", headers=headers)

    async def register(self, **fields: Any) -> Account:
        body = {"phone": self.phone(), "password": PASSWORD, **fields}
        answer = await self.post("/auth/register", body)
        assert answer.status_code == 201, answer.text
        data = answer.json()["data"]
        return Account(
            UUID(data["user"]["id"]), body["phone"], body["password"], data["accessToken"], data["refreshToken"]
        )

    async def login(self, account: Account) -> dict[str, Any]:
        answer = await self.post("/auth/login", {"phone": account.phone, "password": account.password})
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def open_business(self, owner: Account, **fields: Any) -> dict[str, Any]:
        body = {"name": "Abarrotes Lupita", "country": "MX", "taxId": "EKU9003173C9", **fields}
        answer = await self.post("/businesses", body, owner.headers)
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]

    async def open_branch(self, owner: Account, business_id: str, **fields: Any) -> dict[str, Any]:
        body = {"name": "Centro", **fields}
        answer = await self.post(f"/businesses/{business_id}/branches", body, owner.headers)
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]

    async def employ(self, business_id: str, employee: Account, branch_ids: list[str]) -> None:
        """Adding members has no route yet."""

        async def work(unit: UnitOfWork) -> None:
            await unit.session.execute(
                text(
                    "INSERT INTO memberships (id, business_id, user_id, role, branch_ids)"
                    " VALUES (:id, :business, :user, :role, CAST(:branches AS uuid[]))"
                ),
                {
                    "id": new_id(),
                    "business": UUID(business_id),
                    "user": employee.id,
                    "role": BusinessRole.EMPLOYEE.value,
                    "branches": [UUID(branch) for branch in branch_ids],
                },
            )

        await self.sut.kit.database.run(work)

    async def delete_user(self, account: Account) -> None:
        """Neither has deleting users."""
        async with self.sut.kit.database.autocommit() as connection:
            await connection.execute(text("UPDATE users SET deleted_at = now() WHERE id = :id"), {"id": account.id})

    async def sql(self, statement: str, **parameters: Any) -> Any:
        async with self.sut.kit.database.read() as session:
            return (await session.execute(text(statement), parameters)).all()


@pytest.fixture(scope="session")
async def world(sut: ServiceUnderTest) -> World:
    return World(sut)


@pytest.fixture
def later(sut: ServiceUnderTest) -> Callable[[timedelta], AbstractContextManager[None]]:
    """`with later(timedelta(...)):` moves the service's clock, and moves it back for the tests after this one."""

    @contextmanager
    def moved(by: timedelta) -> Iterator[None]:
        sut.clock.advance(by)
        try:
            yield
        finally:
            sut.clock.advance(-by)

    return moved


@pytest.fixture
def altered(sut: ServiceUnderTest) -> Callable[..., AbstractContextManager[None]]:
    """`with altered(passwords=…):` answers requests with another part in the context, such as a Redis that is down."""

    @contextmanager
    def swapped(**parts: Any) -> Iterator[None]:
        transport = sut.client._transport
        assert isinstance(transport, httpx.ASGITransport)
        state = cast("FastAPI", transport.app).state
        state.context = replace(sut.context, **parts)
        try:
            yield
        finally:
            state.context = sut.context

    return swapped
