"""People who want a higher KYC level, and the papers they have."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from chassis.tenancy import everyone

JPEG = b"\xff\xd8\xff\xe0"
PNG = b"\x89PNG\r\n\x1a\n"
PDF = b"%PDF-1.7\n"

Files = Mapping[str, bytes]


def image(size: int = 2000, magic: bytes = JPEG) -> bytes:
    return magic + secrets.token_bytes(size - len(magic))


def dni() -> str:
    return str(secrets.randbelow(90_000_000) + 10_000_000)


@dataclass
class KycDesk:
    """Sends forms and reviews as a client does."""

    world: Any

    async def applicant(self, *, verified: bool = True) -> Any:
        account = await self.world.register()
        if verified:
            await self.world.verify_phone(account)
        return account

    async def submit(
        self,
        account: Any,
        fields: Mapping[str, str] | None = None,
        files: Files | None = None,
        *,
        key: str | None = None,
    ) -> Any:
        """An Argentine DNI with both its sides, where nothing else is said."""
        fields = {"level": "LEVEL_1", "country": "AR", "documentType": "DNI", "documentNumber": dni(), **(fields or {})}
        files = {"front": image(), "back": image(magic=PNG)} if files is None else files
        return await self.world.sut.client.post(
            "/api/v1/kyc/submissions",
            data={name: value for name, value in fields.items() if value},
            files={name: (f"{name}.bin", content, "application/octet-stream") for name, content in files.items()},
            headers=account.headers | ({"Idempotency-Key": key} if key else {}),
        )

    async def submit_tax(self, account: Any, **fields: str) -> Any:
        tax = {"level": "LEVEL_2", "country": "AR", "taxId": "20-26756539-3", "documentType": "", "documentNumber": ""}
        return await self.submit(account, tax | fields, {"tax": image(magic=PDF)})

    async def submitted(self, account: Any, **arguments: Any) -> dict[str, Any]:
        answer = await self.submit(account, **arguments)
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]

    async def act(self, account: Any, submission_id: str, action: str, body: Any = None, **headers: str) -> Any:
        return await self.world.post(f"/kyc/submissions/{submission_id}/{action}", body, account.headers | headers)


@pytest.fixture(scope="session")
def desk(world: Any) -> KycDesk:
    return KycDesk(world)


@pytest.fixture(scope="session")
async def reviewer(world: Any) -> Any:
    return await world.admin()


@pytest.fixture
def run_job(sut: Any) -> Callable[[str], Awaitable[None]]:
    """Run a job of the service now, as its process would."""

    async def run(name: str) -> None:
        job = next(job for job in sut.service.jobs if job.name == name)
        with everyone():
            await job.run()

    return run
