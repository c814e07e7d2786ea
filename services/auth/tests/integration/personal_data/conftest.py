"""A service of its own with a merchant's whole story in it, so that what its tables hold is known to the last value."""

from __future__ import annotations

import base64
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from auth.app import MIGRATIONS, build
from auth.settings import AuthSettings
from chassis.testing.service import COMMON, ServiceUnderTest, running_service
from contracts.auth.v1 import directory_pb2, directory_pb2_grpc
from contracts.events.auth import UserCodeRequested
from kernel import new_id


def _key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


@dataclass
class Vault:
    """The service, the environment it was started with, and what it was told that nobody else may read."""

    sut: ServiceUnderTest
    world: Any
    environment: dict[str, str]
    documents: Path
    owner: Any
    business_id: str
    submission_id: str
    front: bytes
    member_key: str
    secrets: dict[str, str]
    code: str


@pytest.fixture(scope="module")
async def vault(world: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Vault]:
    documents = tmp_path_factory.mktemp("vault")
    own = {
        "JWT_SECRET": _key(),
        "JWT_REFRESH_SECRET": _key(),
        "PASSWORD_PEPPER": _key(),
        "AUTH_BCRYPT_COST": "4",
        "AUTH_OBJECT_STORE_URL": documents.as_uri(),
        "FIELD_ENCRYPTION_KEYS": f"old:{_key()}",
    }
    async with running_service("auth", AuthSettings, build, migrations=MIGRATIONS, environment=own) as sut:
        sut.clock.advance(datetime.now(UTC) - sut.clock.now())
        settings, common = sut.kit.settings, sut.kit.common
        environment = {
            **COMMON,
            **own,
            "AUTH_HTTP_PORT": "1",
            "AUTH_DATABASE_URL": settings.database_url.get_secret_value(),
            "REDIS_URL": common.redis_url.get_secret_value(),
            "RABBITMQ_URL": common.rabbitmq_url.get_secret_value(),
        }
        yield await _story(sut, type(world)(sut), environment, documents)


async def _story(sut: ServiceUnderTest, world: Any, environment: dict[str, str], documents: Path) -> Vault:
    told = {
        "phone": world.phone(),
        "e-mail": f"lupita.{secrets.token_hex(4)}@ejemplo.mx",
        "first name": "Guadalupe Xóchitl",
        "last name": "Ñáñez-Iturbide",
        "legal name": "Comercializadora Quetzalcóatl SA de CV",
        "tax id": "EKU9003173C9",
        "business phone": world.phone(),
        "business e-mail": f"tienda.{secrets.token_hex(4)}@ejemplo.mx",
        "branch phone": world.phone(),
        "employee phone": world.phone(),
        "employee name": "Wenceslao Tzintzuntzan",
        "document number": str(secrets.randbelow(9 * 10**12) + 10**12),
        "rejection reason": "La credencial de Guadalupe está borrosa",
        "address": "2001:db8:4242:77::9",
    }
    sut.client.headers["X-Forwarded-For"] = told["address"]
    key = {"Idempotency-Key": f"register-{new_id()}"}
    names = {"email": told["e-mail"], "firstName": told["first name"], "lastName": told["last name"]}
    registration = {"phone": told["phone"], "password": "correct horse battery", **names}
    answer = await world.post("/auth/register", registration, key)
    assert answer.status_code == 201, answer.text
    owner = await _logged_in(world, told["phone"])
    code = await _code(sut, world, owner)
    business = await world.open_business(
        owner,
        legalName=told["legal name"],
        taxId=told["tax id"],
        phone=told["business phone"],
        email=told["business e-mail"],
    )
    await world.open_branch(owner, business["id"], phone=told["branch phone"])
    member_key = f"member-{new_id()}"
    member = {"phone": told["employee phone"], "firstName": told["employee name"]}
    invited = await world.post(
        f"/businesses/{business['id']}/members", member, owner.headers | {"Idempotency-Key": member_key}
    )
    assert invited.status_code == 201, invited.text
    renamed = await sut.client.patch(
        f"/api/v1/businesses/{business['id']}", json={"legalName": told["legal name"] + " II"}, headers=owner.headers
    )
    assert renamed.status_code == 200, renamed.text
    front = b"\xff\xd8\xff\xe0" + b"the face of Guadalupe" * 20
    submission = await _submitted(world, owner, told["document number"], front)
    admin = await world.admin()
    rejected = await world.post(
        f"/kyc/submissions/{submission}/reject", {"reason": told["rejection reason"]}, admin.headers
    )
    assert rejected.status_code == 200, rejected.text
    return Vault(sut, world, environment, documents, owner, business["id"], submission, front, member_key, told, code)


async def _logged_in(world: Any, phone: str) -> Any:
    answer = await world.post("/auth/login", {"phone": phone, "password": "correct horse battery"})
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    account = type(await world.register())
    return account(data["user"]["id"], phone, "correct horse battery", data["accessToken"], data["refreshToken"])


async def _code(sut: ServiceUnderTest, world: Any, owner: Any) -> str:
    """Confirms the phone, and returns the code of a second one that is still waiting."""
    for channel in ("sms", "email"):
        sent = await world.post("/auth/verification", {"channel": channel}, owner.headers)
        assert sent.status_code == 202, sent.text
        requested = (await sut.published(UserCodeRequested))[-1]
        stub = directory_pb2_grpc.CodesStub(await sut.channel("notifications"))
        code = (await stub.GetCode(directory_pb2.GetCodeRequest(code_id=str(requested.aggregate_id)), timeout=5)).code
        if channel == "sms":
            body = {"channel": channel, "code": code}
            confirmed = await world.post("/auth/verification/confirm", body, owner.headers)
            assert confirmed.status_code == 200, confirmed.text
    return str(code)


async def _submitted(world: Any, owner: Any, number: str, front: bytes) -> str:
    answer = await world.sut.client.post(
        "/api/v1/kyc/submissions",
        data={"level": "LEVEL_1", "country": "MX", "documentType": "INE", "documentNumber": number},
        files={"front": ("f.jpg", front), "back": ("b.jpg", front)},
        headers=owner.headers | {"Idempotency-Key": f"kyc-{new_id()}"},
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["data"]["id"])
