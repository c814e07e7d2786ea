"""Applying for a level: what is asked for, what is refused, and what is left behind by a try that fails."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from auth.kyc import retention
from auth.kyc.vault import DocumentVault
from chassis.objectstore import LocalFolder, ObjectStoreUnavailable, StoredObject
from kernel import new_id

pytestmark = pytest.mark.integration

JPEG = b"\xff\xd8\xff\xe0"


def image(size: int = 2000) -> bytes:
    return JPEG + secrets.token_bytes(size - len(JPEG))


def dni() -> str:
    return str(secrets.randbelow(90_000_000) + 10_000_000)


def pointers(documents: Path) -> list[str]:
    """Keys of the objects in the store."""
    return [str(path) for path in documents.rglob("*.json")]


def stored(documents: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in documents.rglob("*") if path.is_file()}


def on_disk(documents: Path, submission_id: str) -> list[str]:
    return [key for key in pointers(documents) if submission_id in key]


async def test_a_submission_waits_for_review(desk: Any, world: Any) -> None:
    account, number = await desk.applicant(), dni()

    answer = await desk.submit(account, {"documentNumber": f"{number[:2]}.{number[2:5]}.{number[5:]}"})

    assert answer.status_code == 201, answer.text
    body = answer.json()["data"]
    assert body["userId"] == str(account.id)
    assert (body["level"], body["status"], body["country"], body["documentType"]) == ("LEVEL_1", "PENDING", "AR", "DNI")
    assert body["documentNumber"] == number
    assert body["documents"] == [
        {"name": "front", "contentType": "image/jpeg", "size": 2000},
        {"name": "back", "contentType": "image/png", "size": 2000},
    ]
    me = (await world.get("/auth/me", account.headers)).json()["data"]
    assert me["kycLevel"] == "LEVEL_0"


async def test_the_files_are_on_the_disk_only_encrypted(desk: Any, documents: Path) -> None:
    front, number = image(5000), dni()
    submission = await desk.submitted(
        await desk.applicant(), fields={"documentNumber": number}, files={"front": front, "back": image()}
    )

    content = stored(documents)
    assert len(on_disk(documents, submission["id"])) == 2
    assert not any(front[4:64] in data or number.encode() in data for data in content.values())
    assert not any(data.startswith(JPEG) for data in content.values())


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"level": "LEVEL_0"}, "level"),
        ({"level": ""}, "level"),
        ({"country": "BR"}, "country"),
        ({"country": ""}, "country"),
        ({"documentType": "INE"}, "documentType"),
        ({"documentType": ""}, "documentType"),
        ({"documentType": "LIBRARY_CARD"}, "documentType"),
        ({"documentNumber": ""}, "documentNumber"),
        ({"documentNumber": "123"}, "documentNumber"),
        ({"documentNumber": "9" * 41}, "documentNumber"),
        ({"documentNumber": "1" * 5000}, "documentNumber"),
        ({"taxId": "20-26756539-3"}, "taxId"),
        ({"country": "CL", "documentType": "RUT", "documentNumber": "76.086.428-4"}, "documentNumber"),
        ({"isAdmin": "true"}, "isAdmin"),
    ],
)
async def test_a_wrong_field_is_named(desk: Any, applicant: Any, fields: dict[str, str], field: str) -> None:
    answer = await desk.submit(applicant, fields)
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.fixture(scope="session")
async def applicant(desk: Any) -> Any:
    """For forms that are all refused."""
    return await desk.applicant()


@pytest.mark.parametrize(
    ("files", "status", "field"),
    [
        ({"front": b""}, 400, "front"),
        ({"front": image()}, 400, "back"),
        ({"front": image(), "back": b""}, 400, "back"),
        ({"front": image(), "back": image(), "tax": image()}, 400, "tax"),
        ({"front": image(), "back": image(), "selfie": image()}, 400, "selfie"),
        ({"front": b"GIF89a" + bytes(50), "back": image()}, 415, "front"),
        ({"front": b"<svg onload=alert(1)>", "back": image()}, 415, "front"),
        ({"front": b"MZ" + bytes(100), "back": image()}, 415, "front"),
        ({"front": image((5 << 20) + 1), "back": image()}, 413, "front"),
    ],
)
async def test_wrong_files_are_named(desk: Any, applicant: Any, files: Any, status: int, field: str) -> None:
    answer = await desk.submit(applicant, files=files)
    assert answer.status_code == status, answer.text
    assert answer.json()["errors"][0]["field"] == field


async def test_files_of_the_greatest_size_are_taken(desk: Any) -> None:
    files = {"front": image(5 << 20), "back": image(5 << 20)}
    assert (await desk.submit(await desk.applicant(), files=files)).status_code == 201


async def test_a_passport_has_one_page(desk: Any) -> None:
    fields = {"documentType": "PASSPORT", "documentNumber": "AAC 123456"}
    answer = await desk.submit(await desk.applicant(), fields, {"front": image()})
    assert answer.status_code == 201
    assert answer.json()["data"]["documentNumber"] == "AAC123456"


_BOUNDARY = "multipart/form-data; boundary=b"
_LEVEL = b'--b\r\nContent-Disposition: form-data; name="level"\r\n\r\nLEVEL_1\r\n'


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"level": "LEVEL_1"}', "application/json", 415),
        (b"level=LEVEL_1", "application/x-www-form-urlencoded", 415),
        (b"", "", 415),
        (b"", "multipart/form-data", 415),
        (b"", _BOUNDARY, 400),
        (b"no boundary at all", _BOUNDARY, 400),
        (_LEVEL, _BOUNDARY, 400),
        (_LEVEL + _LEVEL + b"--b--\r\n", _BOUNDARY, 400),
        (b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n", _BOUNDARY, 400),
        (b'--b\r\nContent-Disposition: form-data; name="../x"\r\n\r\nx\r\n--b--\r\n', _BOUNDARY, 400),
        (b'--b\r\nContent-Disposition: form-data; name="level"\r\n\r\n\xff\xfe\r\n--b--\r\n', _BOUNDARY, 400),
        (b"--b\r\n" + b"X-Filler: 1\r\n" * 5000, _BOUNDARY, 400),
        (b"".join(_LEVEL.replace(b"level", b"a%d" % n) for n in range(40)) + b"--b--\r\n", _BOUNDARY, 400),
        (b"x", f"multipart/form-data; boundary={'b' * 3000}", 400),
    ],
)
async def test_what_is_no_form_is_a_clear_refusal(
    world: Any, applicant: Any, body: bytes, kind: str, status: int
) -> None:
    headers = applicant.headers | ({"Content-Type": kind} if kind else {})
    answer = await world.sut.client.post("/api/v1/kyc/submissions", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.json()["requestId"]


async def test_a_body_over_the_limit_is_refused_however_it_is_made(world: Any, applicant: Any) -> None:
    async def endless() -> Any:
        yield _LEVEL
        for number in range(400):
            yield b'--b\r\nContent-Disposition: form-data; name="f%d"; filename="x"\r\n\r\n' % number
            yield bytes(2 << 20)

    headers = applicant.headers | {"Content-Type": _BOUNDARY}
    answer = await world.sut.client.post("/api/v1/kyc/submissions", content=endless(), headers=headers)
    assert answer.status_code in (400, 413)
    answer = await world.sut.client.post(
        "/api/v1/kyc/submissions", content=b"", headers=headers | {"Content-Length": str(64 << 20)}
    )
    assert answer.status_code == 413


async def test_other_routes_take_no_large_bodies(world: Any) -> None:
    answer = await world.post("/auth/login", {"phone": "+525512345678", "password": "x" * (2 << 20)})
    assert answer.status_code == 413


async def test_nobody_is_read_who_is_not_known(world: Any) -> None:
    answer = await world.sut.client.post("/api/v1/kyc/submissions", files={"front": image()})
    assert answer.status_code == 401


async def test_the_phone_comes_first(desk: Any) -> None:
    answer = await desk.submit(await desk.applicant(verified=False))
    assert (answer.status_code, answer.json()["code"]) == (422, "phone_not_verified")


async def test_levels_come_in_order(desk: Any) -> None:
    answer = await desk.submit_tax(await desk.applicant())
    assert (answer.status_code, answer.json()["code"]) == (422, "kyc_level_required")


async def test_a_level_is_reached_once(desk: Any, reviewer: Any, world: Any) -> None:
    account = await desk.applicant()
    submission = await desk.submitted(account)
    assert (await desk.act(reviewer, submission["id"], "approve")).status_code == 200
    account = await world.refresh(account)

    again = await desk.submit(account)
    assert (again.status_code, again.json()["code"]) == (409, "kyc_level_reached")

    tax = await desk.submit_tax(account)
    assert tax.status_code == 201, tax.text
    assert tax.json()["data"]["taxId"] == "20267565393"
    bad = await desk.submit_tax(account, taxId="20267565394")
    assert [error["field"] for error in bad.json()["errors"]] == ["taxId"]


async def test_one_submission_is_open_at_a_time(desk: Any) -> None:
    account = await desk.applicant()
    await desk.submitted(account)
    answer = await desk.submit(account)
    assert (answer.status_code, answer.json()["code"]) == (409, "kyc_submission_open")


async def test_of_many_at_once_one_is_made(desk: Any, world: Any) -> None:
    account = await desk.applicant()
    answers = await asyncio.gather(*(desk.submit(account) for _ in range(6)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201] + [409] * 5
    [row] = await world.sql("SELECT count(*) AS n FROM kyc_submissions WHERE user_id = :id", id=account.id)
    assert row.n == 1


async def test_sent_again_under_its_key_it_is_answered_again(desk: Any) -> None:
    """Each time with another boundary, as a browser makes one."""
    account, key = await desk.applicant(), f"kyc-{new_id()}"
    fields, files = {"documentNumber": dni()}, {"front": image(), "back": image()}

    first = await desk.submit(account, fields, files, key=key)
    again = await desk.submit(account, fields, files, key=key)
    other = await desk.submit(account, fields, files | {"back": image()}, key=key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


class Failing(LocalFolder):
    """Fails or dies at the second file."""

    def __init__(self, root: Path, error: BaseException) -> None:
        super().__init__(root)
        self._error = error
        self.puts = 0

    async def put(self, key: str, content: bytes, content_type: str) -> StoredObject:
        self.puts += 1
        if self.puts == 2:
            raise self._error
        return await super().put(key, content, content_type)


async def upload_of(world: Any, user_id: UUID) -> str:
    [row] = await world.sql("SELECT id FROM kyc_uploads WHERE user_id = :id", id=user_id)
    return str(row.id)


async def test_a_store_that_fails_is_said_and_nothing_stays(
    desk: Any, world: Any, documents: Path, altered: Callable[..., AbstractContextManager[None]]
) -> None:
    account, key = await desk.applicant(), f"kyc-{new_id()}"
    vault = DocumentVault(Failing(documents, ObjectStoreUnavailable()), world.sut.kit.cipher)
    before = len(pointers(documents))
    fields, files = {"documentNumber": dni()}, {"front": image(), "back": image()}

    with altered(documents=vault):
        answer = await desk.submit(account, fields, files, key=key)

    assert (answer.status_code, answer.json()["code"]) == (503, "object_store_unavailable")
    assert "Retry-After" in answer.headers
    assert len(pointers(documents)) == before
    assert await world.sql("SELECT 1 FROM kyc_uploads WHERE user_id = :id", id=account.id) == []
    assert (await desk.submit(account, fields, files, key=key)).status_code == 201


class Died(BaseException):
    """As if the process had been killed there."""


async def test_what_a_killed_process_leaves_is_taken_up_by_the_same_request(
    desk: Any, world: Any, documents: Path, altered: Callable[..., AbstractContextManager[None]]
) -> None:
    account, key = await desk.applicant(), f"kyc-{new_id()}"
    fields, files = {"documentNumber": dni()}, {"front": image(), "back": image()}
    with altered(documents=DocumentVault(Failing(documents, Died()), world.sut.kit.cipher)), pytest.raises(Died):
        await desk.submit(account, fields, files, key=key)
    left = await upload_of(world, account.id)
    assert on_disk(documents, left)

    busy = await desk.submit(account, fields, files, key=key)
    assert (busy.status_code, busy.json()["code"]) == (409, "idempotency_in_progress")
    await world.sql("UPDATE idempotency_keys SET lease_until = now() WHERE key = :key RETURNING key", key=key)
    resumed = await desk.submit(account, fields, files, key=key)

    assert resumed.status_code == 201, resumed.text
    assert resumed.json()["data"]["id"] == left


async def test_what_nobody_takes_up_is_deleted_in_time(
    desk: Any,
    world: Any,
    documents: Path,
    altered: Callable[..., AbstractContextManager[None]],
    later: Callable[[timedelta], AbstractContextManager[None]],
    run_job: Callable[[str], Any],
) -> None:
    account = await desk.applicant()
    with altered(documents=DocumentVault(Failing(documents, Died()), world.sut.kit.cipher)), pytest.raises(Died):
        await desk.submit(account)
    left = await upload_of(world, account.id)

    await run_job("kyc-abandoned-uploads")
    assert on_disk(documents, left)
    with later(timedelta(hours=2)):
        await run_job("kyc-abandoned-uploads")

    assert on_disk(documents, left) == []
    assert await world.sql("SELECT 1 FROM kyc_uploads WHERE user_id = :id", id=account.id) == []


async def test_what_was_given_up_meanwhile_cannot_be_finished(
    desk: Any, world: Any, documents: Path, altered: Callable[..., AbstractContextManager[None]]
) -> None:
    """A process slower than the job that deletes after it: no submission may come of files that are gone."""
    account = await desk.applicant()
    ctx = world.sut.context

    class Slow(LocalFolder):
        async def put(self, key: str, content: bytes, content_type: str) -> StoredObject:
            stored = await super().put(key, content, content_type)
            await world.sql(
                "UPDATE kyc_uploads SET started_at = 'epoch' WHERE user_id = :id RETURNING id", id=account.id
            )
            await retention.delete_abandoned(ctx)
            return stored

    with altered(documents=DocumentVault(Slow(documents), world.sut.kit.cipher)):
        answer = await desk.submit(account)

    assert (answer.status_code, answer.json()["code"]) == (409, "kyc_upload_superseded")
    assert await world.sql("SELECT 1 FROM kyc_submissions WHERE user_id = :id", id=account.id) == []
