import asyncio
from uuid import uuid4

import pytest
from chassis.testing.service import ServiceUnderTest
from chassis.testing.tokens import make_principal
from kernel import new_id

pytestmark = pytest.mark.integration


def key() -> str:
    return f"key-{uuid4()}"


async def test_errors_have_one_form(probe: ServiceUnderTest) -> None:
    answer = await probe.client.post("/notes", headers=probe.as_(make_principal()), json={"text": 1, "extra": True})

    assert answer.status_code == 400
    body = answer.json()
    assert body["code"] == "validation_failed"
    assert {error["field"] for error in body["errors"]} == {"text", "extra"}
    assert body["requestId"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'"text"', b'{"text": NaN}', b"null"])
async def test_malformed_bodies_are_the_callers_fault(probe: ServiceUnderTest, body: bytes) -> None:
    headers = probe.as_(make_principal(), **{"Content-Type": "application/json"})

    answer = await probe.client.post("/notes", headers=headers, content=body)

    assert answer.status_code == 400
    assert not any(error["field"].isdigit() for error in answer.json()["errors"])


@pytest.mark.parametrize("text", ["\x00", "\ud800", "x" * 201, "", "   "])
async def test_text_that_cannot_be_stored_is_refused(probe: ServiceUnderTest, text: str) -> None:
    headers = probe.as_(make_principal(), **{"Content-Type": "application/json"})
    content = ('{"text": "' + "".join(f"\\u{ord(c):04x}" for c in text) + '"}').encode()

    answer = await probe.client.post("/notes", headers=headers, content=content)

    assert answer.status_code == 400


async def test_body_over_the_limit(probe: ServiceUnderTest) -> None:
    async def chunks():
        for _ in range(40):
            yield b"x" * 65536

    headers = probe.as_(make_principal())
    announced = await probe.client.post("/notes", headers=headers, content=b"x" * (2 << 20))
    streamed = await probe.client.post("/notes", headers=headers, content=chunks())

    assert announced.status_code == streamed.status_code == 413
    assert streamed.json()["code"] == "too_large"


async def test_a_bug_is_a_500_in_our_form_that_tells_nothing(probe: ServiceUnderTest) -> None:
    answer = await probe.client.get("/broken")

    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    assert "bug" not in answer.text
    assert answer.headers["x-request-id"] == answer.json()["requestId"]


async def test_unknown_route_and_method(probe: ServiceUnderTest) -> None:
    missing = await probe.client.get("/nowhere")
    wrong = await probe.client.put("/notes")

    assert (missing.status_code, missing.json()["code"]) == (404, "route_not_found")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")


async def test_without_a_token(probe: ServiceUnderTest) -> None:
    answer = await probe.client.post("/notes", json={"text": "hello"})

    assert answer.status_code == 401
    assert answer.json()["code"] == "token_missing"
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_anothers_business_does_not_exist(probe: ServiceUnderTest) -> None:
    mine, theirs = probe.directory.open_business(), probe.directory.open_business()
    headers = probe.as_(make_principal(owns=[mine.id]))

    foreign = await probe.client.post("/notes", headers=headers, json={"text": "a", "businessId": str(theirs.id)})
    missing = await probe.client.post("/notes", headers=headers, json={"text": "a", "businessId": str(new_id())})
    own = await probe.client.post("/notes", headers=headers, json={"text": "a", "businessId": str(mine.id)})

    assert (foreign.status_code, missing.status_code, own.status_code) == (404, 404, 201)
    assert foreign.json()["message"] == missing.json()["message"]


async def test_an_employee_may_not_manage(probe: ServiceUnderTest) -> None:
    business = probe.directory.open_business()
    headers = probe.as_(make_principal(works_at=[(business.id, [])]))

    answer = await probe.client.post("/notes", headers=headers, json={"text": "a", "businessId": str(business.id)})

    assert answer.status_code == 403


class TestIdempotency:
    async def test_replay_gives_the_same_bytes(self, probe: ServiceUnderTest) -> None:
        headers = probe.as_(make_principal(), **{"Idempotency-Key": key()})

        first = await probe.client.post("/notes", headers=headers, json={"text": "once"})
        again = await probe.client.post("/notes", headers=headers, json={"text": "once"})

        assert first.status_code == again.status_code == 201
        assert first.content == again.content
        assert again.headers["idempotent-replayed"] == "true"
        assert "idempotent-replayed" not in first.headers

    async def test_another_body_under_the_key(self, probe: ServiceUnderTest) -> None:
        headers = probe.as_(make_principal(), **{"Idempotency-Key": key()})
        await probe.client.post("/notes", headers=headers, json={"text": "once"})

        answer = await probe.client.post("/notes", headers=headers, json={"text": "twice"})

        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")

    async def test_another_caller_has_keys_of_their_own(self, probe: ServiceUnderTest) -> None:
        shared = key()
        answers = [
            await probe.client.post(
                "/notes", headers=probe.as_(make_principal(), **{"Idempotency-Key": shared}), json={"text": "mine"}
            )
            for _ in range(2)
        ]

        assert answers[0].json() != answers[1].json()

    async def test_a_failure_frees_the_key(self, probe: ServiceUnderTest) -> None:
        headers = probe.as_(make_principal(), **{"Idempotency-Key": key()})

        failed = await probe.client.post("/notes", headers=headers, json={"text": "missing"})
        other = await probe.client.post("/notes", headers=headers, json={"text": "found"})

        assert (failed.status_code, other.status_code) == (404, 201)

    async def test_a_storm_has_one_effect(self, probe: ServiceUnderTest) -> None:
        caller, text = make_principal(), str(uuid4())
        headers = probe.as_(caller, **{"Idempotency-Key": key()})

        answers = await asyncio.gather(
            *(probe.client.post("/notes", headers=headers, json={"text": text}) for _ in range(40))
        )

        assert {answer.status_code for answer in answers} <= {201, 409}
        assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
        assert all(a.headers["retry-after"] == "1" for a in answers if a.status_code == 409)
        listed = await probe.client.get("/notes", headers=headers, params={"text": text})
        assert listed.json()["meta"]["total"] == 1

    @pytest.mark.parametrize("bad", ["short", "x" * 129, "has space", "ñ-ñ-ñ-ñ-ñ".encode().decode("latin-1")])
    async def test_malformed_key(self, probe: ServiceUnderTest, bad: str) -> None:
        headers = {**probe.as_(make_principal()), "Idempotency-Key": bad.encode("latin-1")}

        answer = await probe.client.post("/notes", headers=headers, json={"text": "a"})

        assert answer.status_code == 400


class TestLists:
    async def test_pages_and_cursor_walk_the_same_rows(self, probe: ServiceUnderTest) -> None:
        headers, text = probe.as_(make_principal()), str(uuid4())
        for _ in range(7):
            await probe.client.post("/notes", headers=headers, json={"text": text})

        by_page = []
        for page in (1, 2, 3, 4):
            answer = (
                await probe.client.get("/notes", headers=headers, params={"text": text, "page": page, "limit": 3})
            ).json()
            by_page += [row["id"] for row in answer["data"]]
            assert (answer["meta"]["total"], answer["meta"]["totalPages"]) == (7, 3)
        by_cursor, cursor = [], None
        while True:
            params = {"text": text, "limit": 3} | ({"cursor": cursor} if cursor else {})
            answer = (await probe.client.get("/notes", headers=headers, params=params)).json()
            by_cursor += [row["id"] for row in answer["data"]]
            cursor = answer["meta"]["nextCursor"]
            if cursor is None:
                break

        assert by_page == by_cursor == sorted(by_page, reverse=True)
        assert len(set(by_page)) == 7

    @pytest.mark.parametrize(
        "params",
        [
            {"page": 0},
            {"page": -1},
            {"limit": 101},
            {"limit": "x"},
            {"cursor": "bm9wZQ"},
            {"page": 10**30},
            {"page": 900_000},
        ],
    )
    async def test_bad_paging(self, probe: ServiceUnderTest, params: dict[str, object]) -> None:
        answer = await probe.client.get("/notes", headers=probe.as_(make_principal()), params={"text": "a", **params})

        assert answer.status_code == 400
        assert answer.json()["errors"]
