"""GET /payments and what hangs on it."""

from datetime import timedelta
from uuid import UUID

import pytest
from chassis.auth import Role
from chassis.testing.tokens import make_principal
from kernel import new_id
from sqlalchemy import text

pytestmark = pytest.mark.integration


def without_request(answer):
    return {name: value for name, value in answer.json().items() if name != "requestId"}


@pytest.mark.parametrize("path", ["", "/timeline", "/qr.svg", "/qr.png", "/refunds"])
async def test_another_tenants_payment_and_none_at_all_look_the_same(till, path):
    created = await till.create()
    stranger = make_principal(owns=[new_id()])
    foreign = await till.get(f"/{created['id']}{path}", by=stranger)
    absent = await till.get(f"/{new_id()}{path}", by=stranger)
    assert foreign.status_code == absent.status_code == 404
    assert without_request(foreign) == without_request(absent)
    assert (await till.sut.client.get(f"/api/v1/payments/{created['id']}{path}")).status_code == 401


async def test_an_id_that_is_none_is_400(till):
    assert (await till.get("/nonsense")).status_code == 400


async def test_images_of_the_code(till):
    created = await till.create()
    svg = await till.get(f"/{created['id']}/qr.svg")
    png = await till.get(f"/{created['id']}/qr.png")
    assert svg.headers["Content-Type"].startswith("image/svg+xml")
    assert b"<svg" in svg.content
    assert b"<script" not in svg.content
    assert png.headers["Content-Type"] == "image/png"
    assert png.content.startswith(b"\x89PNG")


async def test_the_timeline_tells_what_happened(till):
    paid = await till.paid()
    entries = await till.timeline(paid["id"])
    assert [(entry["kind"], entry["cause"], entry["toStatus"]) for entry in entries] == [
        ("attempt", "request", "PENDING"),
        ("transition", "webhook", "CONFIRMED"),
    ]


class TestList:
    async def test_newest_first_by_page_and_by_cursor(self, till):
        ids = []
        for _ in range(5):
            ids.append((await till.create())["id"])
            till.sut.clock.advance(timedelta(milliseconds=1))
        ids.reverse()
        first = (await till.get(businessId=str(till.business.id), limit=2)).json()
        assert [payment["id"] for payment in first["data"]] == ids[:2]
        assert first["meta"]["total"] == 5
        second = (await till.get(businessId=str(till.business.id), limit=2, page=2)).json()
        by_cursor = (
            await till.get(businessId=str(till.business.id), limit=2, cursor=first["meta"]["nextCursor"])
        ).json()
        assert [payment["id"] for payment in second["data"]] == ids[2:4]
        assert by_cursor["data"] == second["data"]

    async def test_filters(self, till):
        paid = await till.paid(description="Café de olla", customer={"phone": "+525500001111", "email": "A@b.mx"})
        pending = await till.create(method="PAYMENT_LINK", description="Té 100%_frío")
        business = str(till.business.id)

        async def found(**params):
            answer = await till.get(businessId=business, **params)
            assert answer.status_code == 200, answer.text
            return {payment["id"] for payment in answer.json()["data"]}

        assert await found(status="CONFIRMED") == {paid["id"]}
        assert await found(status="PENDING") == {pending["id"]}
        assert await found(method="PAYMENT_LINK") == {pending["id"]}
        assert await found(provider="conekta") == {paid["id"], pending["id"]}
        assert await found(provider="khipu") == set()
        assert await found(q="olla") == {paid["id"]}
        assert await found(q="100%_") == {pending["id"]}
        assert await found(q="100x_") == set()
        assert await found(q=paid["providerRef"]) == {paid["id"]}
        assert await found(q=paid["id"]) == {paid["id"]}
        assert await found(q="+525500001111") == {paid["id"]}
        assert await found(q="a@B.mx") == {paid["id"]}
        assert await found(q="'; DROP TABLE payments; --") == set()
        assert await found(q="  ") == {paid["id"], pending["id"]}
        now = till.sut.clock.now()
        assert await found(**{"from": now.isoformat()}) == {paid["id"], pending["id"]}
        assert await found(to=now.isoformat()) == set()

    @pytest.mark.parametrize(
        "params",
        [
            {"status": "X"},
            {"method": "X"},
            {"from": "yesterday"},
            {"from": "2026-01-01T00:00:00"},
            {"to": "9" * 50},
            {"limit": "0"},
            {"limit": "101"},
            {"page": "-1"},
            {"cursor": "abc"},
            {"businessId": "1"},
            {"q": "x" * 201},
            {"q": "a\x00b"},
            {"provider": "\x00"},
        ],
    )
    async def test_a_filter_that_makes_no_sense_is_400(self, till, params):
        assert (await till.get(**params)).status_code == 400

    async def test_only_ones_own(self, till):
        created = await till.create()
        assert (await till.get(businessId=str(till.business.id), by=make_principal())).status_code == 404
        assert (await till.get(by=make_principal())).json()["data"] == []
        mine = (await till.get()).json()["data"]
        assert [payment["id"] for payment in mine] == [created["id"]]
        admin = make_principal(role=Role.ADMIN)
        everything = (await till.get(by=admin, q=created["id"])).json()["data"]
        assert [payment["id"] for payment in everything] == [created["id"]]

    async def test_a_large_total_is_bounded_and_every_page_is_reached(self, till):
        first = await till.create()
        names = "business_id, amount, currency, country, time_zone, method, provider, status, metadata, expires_at,"
        names += " updated_at, submitted_at"
        await till.run(
            text(
                f"INSERT INTO payments (id, created_at, {names}) SELECT gen_random_uuid(),"
                f" created_at - n * interval '1 second', {names} FROM payments, generate_series(1, 1200) AS n"
                " WHERE id = :id"
            ),
            {"id": UUID(first["id"])},
        )
        business = str(till.business.id)
        seen, cursor = [], None
        while True:
            params = {"businessId": business, "limit": 100} | ({"cursor": cursor} if cursor else {})
            answer = (await till.get(**params)).json()
            seen += [payment["id"] for payment in answer["data"]]
            assert answer["meta"]["total"] == 1201
            cursor = answer["meta"]["nextCursor"]
            if cursor is None:
                break
        assert len(seen) == len(set(seen)) == 1201
        assert seen[0] == first["id"]
        beyond = (await till.get(businessId=business, limit=100, page=20)).json()
        assert (beyond["data"], beyond["meta"]["total"]) == ([], 1201)

    async def test_the_documented_shape_is_the_shape(self, till):
        from payments.intents.schemas import PaymentDetail, PaymentView

        created = await till.create(method="BANK_TRANSFER", customer={"name": "Ana"})
        [listed] = (await till.get(businessId=str(till.business.id))).json()["data"]
        assert set(listed) == {field.alias for field in PaymentView.model_fields.values()}
        assert PaymentView.model_validate(listed).id == UUID(created["id"])
        detail = await till.show(created["id"])
        assert set(detail) == {field.alias for field in PaymentDetail.model_fields.values()}
        assert PaymentDetail.model_validate(detail).transfer is not None
