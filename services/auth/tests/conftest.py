"""The service with its real database, and people who use it."""

from __future__ import annotations

import base64
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import httpx
import pytest
from auth.app import MIGRATIONS, build
from auth.settings import AuthSettings
from chassis.auth import Principal
from chassis.auth.admission import HEADER as ADMISSION_HEADER
from chassis.auth.admission import AdmissionSeal
from chassis.tenancy import everyone
from chassis.testing.service import ServiceUnderTest, running_service
from chassis.testing.tokens import make_principal
from fastapi import FastAPI
from sqlalchemy import text

PASSWORD = "correct horse battery"


def _key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


@pytest.fixture(scope="session")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this service's object store is."""
    return tmp_path_factory.mktemp("documents")


@pytest.fixture(scope="session")
async def sut(documents: Path) -> AsyncIterator[ServiceUnderTest]:
    environment = {
        "JWT_SECRET": _key(),
        "AUTH_PREVIOUS_JWT_SECRETS": _key(),
        "JWT_REFRESH_SECRET": _key(),
        "PASSWORD_PEPPER": _key(),
        "AUTH_BCRYPT_COST": "4",
        "AUTH_OBJECT_STORE_URL": documents.as_uri(),
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
        self._seal = AdmissionSeal(sut.kit.common.service_auth_secret.get_secret_value())

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

    async def employ(self, business_id: str, employee: Account, branch_ids: list[str]) -> str:
        """Make the employee a member, as their owner and they would; returns the member's id."""
        owner = await self.owner_of(business_id)
        body = {"phone": employee.phone, "branchIds": branch_ids}
        invited = await self.post(f"/businesses/{business_id}/members", body, owner)
        assert invited.status_code == 201, invited.text
        await self.verify_phone(employee)
        member_id: str = invited.json()["data"]["id"]
        accepted = await self.post(f"/auth/memberships/{member_id}/accept", headers=employee.headers)
        assert accepted.status_code == 200, accepted.text
        return member_id

    async def owner_of(self, business_id: str) -> dict[str, str]:
        """Headers of a request by the owner of a business."""
        [row] = await self.sql("SELECT owner_id FROM businesses WHERE id = :id", id=UUID(business_id))
        return self.as_(make_principal(user_id=row.owner_id, owns=[UUID(business_id)]))

    def as_(self, principal: Principal) -> dict[str, str]:
        """Headers of a request by anyone one can think of, whose session the gateway would have checked."""
        token = self.sut.tokens.issue(principal)
        return {"Authorization": f"Bearer {token}", ADMISSION_HEADER: self._seal.sign(token)}

    async def admin(self) -> Account:
        """A new administrator, logged in."""
        account = await self.register()
        await self.sql("UPDATE users SET role = 'ADMIN' WHERE id = :id RETURNING id", id=account.id)
        tokens = await self.login(account)
        return replace(account, access_token=tokens["accessToken"], refresh_token=tokens["refreshToken"])

    async def refresh(self, account: Account) -> Account:
        """The account with the tokens that its refresh token gives."""
        answer = await self.post("/auth/refresh", {"refreshToken": account.refresh_token})
        assert answer.status_code == 200, answer.text
        tokens = answer.json()["data"]
        return replace(account, access_token=tokens["accessToken"], refresh_token=tokens["refreshToken"])

    async def verify_phone(self, account: Account) -> None:
        """As if the code that was sent to it had been confirmed."""
        await self.sql("UPDATE users SET phone_verified_at = now() WHERE id = :id RETURNING id", id=account.id)

    async def delete_user(self, account: Account) -> None:
        """Neither has deleting users."""
        await self.sql("UPDATE users SET deleted_at = now() WHERE id = :id RETURNING id", id=account.id)

    async def sql(self, statement: str, **parameters: Any) -> Any:
        with everyone():
            async with self.sut.kit.database.transaction() as unit:
                return (await unit.session.execute(text(statement), parameters)).all()


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
