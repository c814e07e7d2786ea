"""Reading, approving, rejecting and withdrawing submissions, and how long their documents are kept."""

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
from contracts.events.auth import UserKycReviewed, UserUpdated
from kernel import new_id

pytestmark = pytest.mark.integration

FRONT = b"\xff\xd8\xff\xe0" + secrets.token_bytes(1000)
BACK = b"%PDF-1.4 " + secrets.token_bytes(1000)


@pytest.fixture
async def account(desk: Any) -> Any:
    return await desk.applicant()


@pytest.fixture
async def submission(desk: Any, account: Any) -> Any:
    return await desk.submitted(account, files={"front": FRONT, "back": BACK})


def pointers(documents: Path, submission: Any, name: str = "*") -> list[Path]:
    return list(documents.rglob(f"{submission['id']}/{name}.json"))


async def actions(world: Any, subject_id: str) -> list[str]:
    rows = await world.sql(
        "SELECT action FROM audit_entries WHERE subject_id = :id ORDER BY occurred_at, id", id=UUID(subject_id)
    )
    return [row.action for row in rows]


async def test_approval_raises_the_level_at_once(
    desk: Any, world: Any, sut: Any, reviewer: Any, account: Any, submission: Any
) -> None:
    answer = await desk.act(reviewer, submission["id"], "approve")

    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["status"] == "APPROVED"
    assert answer.json()["data"]["closedAt"]
    stale = await world.get("/auth/me", account.headers)
    assert (stale.status_code, stale.json()["code"]) == (401, "token_stale")
    account = await world.refresh(account)
    assert (await world.get("/auth/me", account.headers)).json()["data"]["kycLevel"] == "LEVEL_1"
    [reviewed] = await sut.published(UserKycReviewed, aggregate_id=UUID(submission["id"]))
    assert (reviewed.user_id, reviewed.level, reviewed.approved) == (account.id, 1, True)
    updated = [event for event in await sut.published(UserUpdated, aggregate_id=account.id) if event.kyc_level == 1]
    assert [event.changed for event in updated] == [("kyc_level",)]
    assert await actions(world, submission["id"]) == ["kyc.submitted", "kyc.approved"]


async def test_approving_again_changes_nothing(desk: Any, sut: Any, world: Any, reviewer: Any, submission: Any) -> None:
    key = {"Idempotency-Key": f"approve-{new_id()}"}
    first = await desk.act(reviewer, submission["id"], "approve", **key)
    replayed = await desk.act(reviewer, submission["id"], "approve", **key)
    without_key = await desk.act(reviewer, submission["id"], "approve")

    assert first.json() == replayed.json() == without_key.json()
    assert len(await sut.published(UserKycReviewed, aggregate_id=UUID(submission["id"]))) == 1
    assert await actions(world, submission["id"]) == ["kyc.submitted", "kyc.approved"]


async def test_of_opposite_decisions_at_once_one_holds(
    desk: Any, sut: Any, world: Any, reviewer: Any, submission: Any
) -> None:
    reject = {"reason": "La foto no se lee"}
    answers = await asyncio.gather(
        *(desk.act(reviewer, submission["id"], "approve") for _ in range(4)),
        *(desk.act(reviewer, submission["id"], "reject", reject) for _ in range(4)),
    )
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] * 4 + [409] * 4
    assert len(await sut.published(UserKycReviewed, aggregate_id=UUID(submission["id"]))) == 1
    [row] = await world.sql(
        "SELECT s.status, u.kyc_level FROM kyc_submissions s JOIN users u ON u.id = s.user_id WHERE s.id = :id",
        id=UUID(submission["id"]),
    )
    assert (row.status, row.kyc_level) in {("APPROVED", 1), ("REJECTED", 0)}


async def test_a_rejected_user_knows_why_and_may_try_again(
    desk: Any, world: Any, sut: Any, reviewer: Any, account: Any, submission: Any
) -> None:
    answer = await desk.act(reviewer, submission["id"], "reject", {"reason": "La foto no se lee"})

    assert answer.status_code == 200, answer.text
    seen = (await world.get(f"/kyc/submissions/{submission['id']}", account.headers)).json()["data"]
    assert (seen["status"], seen["rejectionReason"]) == ("REJECTED", "La foto no se lee")
    [reviewed] = await sut.published(UserKycReviewed, aggregate_id=UUID(submission["id"]))
    assert not reviewed.approved
    [row] = await world.sql("SELECT rejection_reason FROM kyc_submissions WHERE id = :id", id=UUID(submission["id"]))
    assert row.rejection_reason.startswith("v1.")
    assert (await desk.submit(account)).status_code == 201
    late = await desk.act(reviewer, submission["id"], "approve")
    assert (late.status_code, late.json()["code"]) == (409, "kyc_submission_closed")


@pytest.mark.parametrize(
    "body", [None, {}, {"reason": ""}, {"reason": "  "}, {"reason": "x" * 501}, {"reason": "\x00"}]
)
async def test_a_rejection_needs_a_reason(desk: Any, reviewer: Any, submission: Any, body: Any) -> None:
    assert (await desk.act(reviewer, submission["id"], "reject", body)).status_code == 400


async def test_only_administrators_review(desk: Any, account: Any, submission: Any) -> None:
    stranger = await desk.applicant()
    for who in (account, stranger):
        for action, body in (("approve", None), ("reject", {"reason": "no"})):
            answer = await desk.act(who, submission["id"], action, body)
            assert (answer.status_code, answer.json()["code"]) == (403, "admin_only")


async def test_nobody_reviews_themselves(desk: Any, world: Any, reviewer: Any) -> None:
    admin = await world.admin()
    await world.verify_phone(admin)
    own = await desk.submitted(admin)
    for action, body in (("approve", None), ("reject", {"reason": "no"})):
        answer = await desk.act(admin, own["id"], action, body)
        assert (answer.status_code, answer.json()["code"]) == (403, "kyc_own_submission")
    assert (await desk.act(reviewer, own["id"], "approve")).status_code == 200


async def test_what_does_not_exist_cannot_be_reviewed(desk: Any, reviewer: Any) -> None:
    for action, body in (("approve", None), ("reject", {"reason": "no"}), ("withdraw", None)):
        assert (await desk.act(reviewer, str(new_id()), action, body)).status_code == 404


async def test_a_deleted_user_is_not_approved(
    desk: Any, world: Any, reviewer: Any, account: Any, submission: Any
) -> None:
    await world.sql("UPDATE users SET deleted_at = now() WHERE id = :id RETURNING id", id=account.id)
    answer = await desk.act(reviewer, submission["id"], "approve")
    assert (answer.status_code, answer.json()["code"]) == (409, "kyc_user_deleted")


async def test_a_level_never_falls(desk: Any, world: Any, reviewer: Any, account: Any, submission: Any) -> None:
    await world.sql("UPDATE users SET kyc_level = 2 WHERE id = :id RETURNING id", id=account.id)
    assert (await desk.act(reviewer, submission["id"], "approve")).status_code == 200
    [row] = await world.sql("SELECT kyc_level FROM users WHERE id = :id", id=account.id)
    assert row.kyc_level == 2


async def test_a_user_withdraws_their_own_submission_only(
    desk: Any, reviewer: Any, account: Any, submission: Any
) -> None:
    stranger = await desk.applicant()
    for who in (stranger, reviewer):
        assert (await desk.act(who, submission["id"], "withdraw")).status_code == 404
    withdrawn = await desk.act(account, submission["id"], "withdraw")
    assert withdrawn.json()["data"]["status"] == "WITHDRAWN"
    assert (await desk.act(account, submission["id"], "withdraw")).status_code == 200
    assert (await desk.act(reviewer, submission["id"], "approve")).status_code == 409
    assert (await desk.submit(account)).status_code == 201


async def test_submissions_are_seen_by_their_user_and_administrators(
    desk: Any, world: Any, reviewer: Any, account: Any, submission: Any
) -> None:
    stranger = await desk.applicant()
    path = f"/kyc/submissions/{submission['id']}"
    assert (await world.get(path, account.headers)).json()["data"] == submission
    for hidden in (path, f"{path}/documents/front"):
        assert (await world.get(hidden, stranger.headers)).status_code == 404
        assert (await world.get(hidden)).status_code == 401
    assert (await world.get(f"/kyc/submissions?userId={account.id}", stranger.headers)).json()["data"] == []

    mine = (await world.get("/kyc/submissions", account.headers)).json()["data"]
    assert [item["id"] for item in mine] == [submission["id"]]
    assert "documentNumber" not in mine[0]

    async def listed(query: str) -> list[str]:
        answer = await world.get(f"/kyc/submissions?{query}", reviewer.headers)
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["data"]]

    assert submission["id"] in await listed("status=PENDING&limit=100")
    assert submission["id"] not in await listed("status=APPROVED&limit=100")
    assert await listed(f"userId={account.id}") == [submission["id"]]
    assert await listed(f"userId={account.id}&level=LEVEL_2") == []
    assert (await world.get("/kyc/submissions?status=LOST", reviewer.headers)).status_code == 400


async def test_a_reviewer_sees_who_else_claims_the_identity(desk: Any, world: Any, reviewer: Any) -> None:
    number = str(secrets.randbelow(90_000_000) + 10_000_000)
    accounts = [await desk.applicant() for _ in range(3)]
    made = [await desk.submitted(account, fields={"documentNumber": number}) for account in accounts]
    path = f"/kyc/submissions/{made[0]['id']}"
    assert (await world.get(path, reviewer.headers)).json()["data"]["otherAccounts"] == 2
    assert (await world.get(path, accounts[0].headers)).json()["data"]["otherAccounts"] is None


async def test_documents_come_back_as_files_to_save(world: Any, account: Any, submission: Any) -> None:
    front = await world.get(f"/kyc/submissions/{submission['id']}/documents/front", account.headers)
    back = await world.get(f"/kyc/submissions/{submission['id']}/documents/back", account.headers)

    assert (front.content, back.content) == (FRONT, BACK)
    assert (front.headers["content-type"], back.headers["content-type"]) == ("image/jpeg", "application/pdf")
    assert front.headers["content-disposition"] == 'attachment; filename="front.jpg"'
    assert front.headers["cache-control"] == "no-store"
    assert front.headers["x-content-type-options"] == "nosniff"
    for name, status in (("tax", 404), ("selfie", 400), ("..%2Ffront", 404)):
        answer = await world.get(f"/kyc/submissions/{submission['id']}/documents/{name}", account.headers)
        assert answer.status_code == status


async def test_that_an_administrator_looked_is_on_record(
    world: Any, reviewer: Any, account: Any, submission: Any
) -> None:
    path = f"/kyc/submissions/{submission['id']}/documents/back"
    assert (await world.get(path, account.headers)).content == BACK
    assert await actions(world, submission["id"]) == ["kyc.submitted"]
    assert (await world.get(path, reviewer.headers)).content == BACK
    assert await actions(world, submission["id"]) == ["kyc.submitted", "kyc.document_read"]


async def test_a_damaged_document_is_no_500(world: Any, account: Any, submission: Any, documents: Path) -> None:
    [pointer] = pointers(documents, submission, "front")
    pointer.write_bytes(b"{}")
    answer = await world.get(f"/kyc/submissions/{submission['id']}/documents/front", account.headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "object_store_unavailable")


@pytest.mark.parametrize(
    ("action", "body", "kept", "gone"), [("approve", None, 1800, 1830), ("reject", {"reason": "no"}, 85, 95)]
)
async def test_documents_are_kept_for_their_time(
    desk: Any,
    world: Any,
    reviewer: Any,
    submission: Any,
    documents: Path,
    later: Callable[[timedelta], AbstractContextManager[None]],
    run_job: Callable[[str], Any],
    action: str,
    body: Any,
    kept: int,
    gone: int,
) -> None:
    await desk.act(reviewer, submission["id"], action, body)

    with later(timedelta(days=kept)):
        await run_job("kyc-expired-documents")
    assert len(pointers(documents, submission)) == 2
    with later(timedelta(days=gone)):
        await run_job("kyc-expired-documents")
        await run_job("kyc-expired-documents")

    assert pointers(documents, submission) == []
    seen = (await world.get(f"/kyc/submissions/{submission['id']}", reviewer.headers)).json()["data"]
    assert seen["documents"] == []
    answer = await world.get(f"/kyc/submissions/{submission['id']}/documents/front", reviewer.headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "kyc_document_not_found")


async def test_documents_of_an_open_submission_are_never_deleted(
    submission: Any,
    documents: Path,
    later: Callable[[timedelta], AbstractContextManager[None]],
    run_job: Callable[[str], Any],
) -> None:
    with later(timedelta(days=4000)):
        await run_job("kyc-expired-documents")
    assert len(pointers(documents, submission)) == 2
