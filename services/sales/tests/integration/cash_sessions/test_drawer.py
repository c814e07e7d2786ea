"""A drawer from its opening to its closing, through the routes and the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
from chassis.auth import Principal
from chassis.testing.tokens import make_principal
from contracts.events.sales import CashRegisterClosed, CashRegisterOpened
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kernel import Country, Currency, Money, new_id
from sales.cash_registers import ledger
from sqlalchemy import text

pytestmark = pytest.mark.integration


@dataclass
class Sold:
    """As much of a sale as the drawer looks at."""

    business_id: UUID
    branch_id: UUID
    cash_session_id: UUID | None
    created_by: UUID
    id: UUID = field(default_factory=new_id)


@dataclass
class Drawer:
    """One register of a shop, an employee at its branch, and what the tests do there."""

    shop: Any
    id: str
    employee: Principal
    session_id: str = ""

    @classmethod
    async def of(cls, shop: Any, name: str = "Caja 1", **fields: Any) -> Drawer:
        body = {"businessId": str(shop.business.id), "branchId": str(shop.branch.id), "name": name, **fields}
        made = await shop.sut.client.post("/api/v1/cash-registers", json=body, headers=shop.sut.as_(shop.owner))
        assert made.status_code == 201, made.text
        employee = make_principal(works_at=[(shop.business.id, [shop.branch.id])])
        return cls(shop, made.json()["data"]["id"], employee)

    async def call(
        self, method: str, path: str = "", body: Any = None, *, by: Principal | None = None, **query: Any
    ) -> httpx.Response:
        headers = self.shop.sut.as_(by or self.shop.owner)
        answer: httpx.Response = await self.shop.sut.client.request(
            method, f"/api/v1/cash-registers/{self.id}{path}", json=body, headers=headers, params=query
        )
        return answer

    async def data(self, method: str, path: str = "", body: Any = None, **options: Any) -> Any:
        answer = await self.call(method, path, body, **options)
        assert answer.status_code < 300, answer.text
        return answer.json()["data"]

    async def open(self, cash: str = "500", **options: Any) -> dict[str, Any]:
        opened: dict[str, Any] = await self.data("POST", "/open", {"openingCash": cash}, **options)
        self.session_id = opened["id"]
        return opened

    async def close(self, cash: str, **options: Any) -> dict[str, Any]:
        closed: dict[str, Any] = await self.data("POST", "/close", {"closingCash": cash}, **options)
        return closed

    async def session(self, **options: Any) -> dict[str, Any]:
        found: dict[str, Any] = await self.data("GET", f"/sessions/{self.session_id}", **options)
        return found

    def sold(self, cashier: UUID | None = None) -> Sold:
        shop = self.shop
        return Sold(shop.business.id, shop.branch.id, UUID(self.session_id), cashier or self.employee.user_id)

    def money(self, amount: str) -> Money:
        return Money.of(amount, self.shop.business.currency)

    async def sell(self, amount: str, *, sale: Sold | None = None, method: str = "CASH") -> Any:
        async def work(unit: Any) -> Any:
            return await ledger.enter_sale(unit, sale=sale or self.sold(), amount=self.money(amount), method=method)

        return await self.shop.sut.kit.database.run(work)

    async def refund(self, amount: str, *, refund_id: UUID | None = None, method: str = "CASH") -> Any:
        async def work(unit: Any) -> Any:
            money = self.money(amount)
            return await ledger.enter_refund(
                unit, sale=self.sold(), refund_id=refund_id or new_id(), amount=money, method=method
            )

        return await self.shop.sut.kit.database.run(work)

    async def sums(self) -> tuple[Decimal, Decimal, int, int]:
        """Of the ledger itself: cash up to the closing, late cash, entries, the highest position."""
        async with self.shop.sut.kit.database.read() as session:
            row = (
                await session.execute(
                    text(
                        "SELECT coalesce(sum(amount) FILTER (WHERE NOT late AND kind <> 'CLOSING'), 0) AS cash,"
                        " coalesce(sum(amount) FILTER (WHERE late), 0) AS late,"
                        " (SELECT count(*) FROM cash_entries WHERE session_id = :id) AS count,"
                        " (SELECT max(position) FROM cash_entries WHERE session_id = :id) AS position"
                        " FROM cash_entries WHERE session_id = :id AND method = 'CASH'"
                    ),
                    {"id": UUID(self.session_id)},
                )
            ).one()
        return row.cash, row.late, row.count, row.position


@pytest.fixture
async def drawer(shop: Any) -> Drawer:
    return await Drawer.of(shop)


async def test_a_day_at_the_counter(drawer: Drawer) -> None:
    opened = await drawer.data("POST", "/open", {"denominations": {"200": 2, "50": 1, "0.5": 100}}, by=drawer.employee)
    drawer.session_id = opened["id"]
    assert (opened["status"], opened["openingCash"], opened["expectedCash"]) == ("OPEN", "500.00", None)
    assert opened["openingDenominations"] == {"200": 2, "50": 1, "0.50": 100}
    beto = new_id()
    await drawer.sell("150.50")
    await drawer.sell("99.50", sale=drawer.sold(beto))
    await drawer.sell("300.00", method="QR_DYNAMIC")
    await drawer.refund("20.25")
    moved = await drawer.data("POST", "/movements", {"type": "OUT", "amount": "200", "reason": "Banco"})
    await drawer.data("POST", "/movements", {"type": "IN", "amount": "50", "reason": "Cambio"}, by=drawer.employee)
    assert (moved["type"], moved["amount"], moved["reason"]) == ("OUT", "200.00", "Banco")
    assert (await drawer.session())["expectedCash"] == "579.75"

    body = {"denominations": {"500": 1, "50": 1, "20": 1, "5": 1, "2": 2, "0.50": 1}, "notes": "Falta un poco"}
    closed = await drawer.data("POST", "/close", body, by=drawer.employee)

    assert (closed["closingCash"], closed["expectedCash"], closed["difference"]) == ("579.50", "579.75", "-0.25")
    assert (closed["needsApproval"], closed["exceptions"], closed["notes"]) == (False, [], "Falta un poco")
    totals = {(one["kind"], one["method"], one["cashier"]): (one["amount"], one["count"]) for one in closed["totals"]}
    employee, owner = str(drawer.employee.user_id), str(drawer.shop.owner.user_id)
    assert totals == {
        ("OPENING", "CASH", employee): ("500.00", 1),
        ("SALE", "CASH", employee): ("150.50", 1),
        ("SALE", "CASH", str(beto)): ("99.50", 1),
        ("SALE", "QR_DYNAMIC", employee): ("300.00", 1),
        ("REFUND", "CASH", employee): ("-20.25", 1),
        ("OUT", "CASH", owner): ("-200.00", 1),
        ("IN", "CASH", employee): ("50.00", 1),
    }
    register = await drawer.data("GET")
    shown = ("status", "openingCash", "closingCash", "expectedCash", "difference", "notes", "sessionId")
    assert [register[name] for name in shown] == [
        *("CLOSED", "500.00", "579.50", "579.75", "-0.25", "Falta un poco"),
        drawer.session_id,
    ]
    entries = await drawer.data("GET", f"/sessions/{drawer.session_id}/entries", by=drawer.employee)
    assert [one["kind"] for one in sorted(entries, key=lambda one: one["position"])] == [
        *("OPENING", "SALE", "SALE", "SALE", "REFUND", "OUT", "IN", "CLOSING")
    ]
    movements = await drawer.data("GET", "/movements", sessionId=drawer.session_id)
    assert [one["reason"] for one in movements] == ["Cambio", "Banco"]

    changes = await drawer.shop.sut.published(aggregate_id=UUID(drawer.id))
    assert [type(one) for one in changes] == [CashRegisterOpened, CashRegisterClosed]
    assert [one.aggregate_version for one in changes] == [1, 2]
    assert (changes[1].difference.amount, changes[1].cash_session_id) == ("-0.25", UUID(drawer.session_id))


async def test_told_twice_is_entered_once(drawer: Drawer) -> None:
    await drawer.open()
    sale, refund_id = drawer.sold(), new_id()
    first, again = await drawer.sell("80", sale=sale), await drawer.sell("80", sale=sale)
    assert first is not None
    assert again is None
    assert [await drawer.refund("30", refund_id=refund_id) is None for _ in range(2)] == [False, True]
    await drawer.close("550")
    assert await drawer.sell("80", sale=sale) is None
    assert await drawer.refund("30", refund_id=refund_id) is None
    session = await drawer.session()
    assert (session["expectedCash"], session["lateCash"]) == ("550.00", "0.00")


async def test_what_is_odd_keeps_nobody_from_closing(drawer: Drawer) -> None:
    await drawer.open("100")
    await drawer.refund("130.10")
    await drawer.sell("10.10")
    product = drawer.shop.product()
    pending = await drawer.shop.sell(product)
    async with drawer.shop.sut.kit.database.transaction() as unit:
        tie = text("UPDATE sales SET cash_session_id = :session WHERE id = :id")
        await unit.session.execute(tie, {"session": UUID(drawer.session_id), "id": UUID(pending["id"])})
    closed = await drawer.close("50", by=drawer.employee)
    assert (closed["expectedCash"], closed["difference"], closed["needsApproval"]) == ("-20.00", "70.00", True)
    assert closed["exceptions"] == [
        {"code": "DIFFERENCE", "amount": "70.00", "tolerance": "20.00", "count": None, "till": None},
        {"code": "NEGATIVE_EXPECTED", "amount": "-30.10", "tolerance": None, "count": None, "till": None},
        {"code": "PENDING_SALES", "amount": None, "tolerance": None, "count": 1, "till": None},
    ]
    path = f"/sessions/{drawer.session_id}/approve"
    assert (await drawer.call("POST", path, {"note": "Visto"}, by=drawer.employee)).status_code == 403
    approved = await drawer.data("POST", path, {"note": "Visto"})
    assert approved["needsApproval"] is False
    [approval] = approved["approvals"]
    assert (approval["note"], approval["difference"]) == ("Visto", "70.00")
    assert approval["by"] == str(drawer.shop.owner.user_id)
    again = await drawer.call("POST", path, {})
    assert (again.status_code, again.json()["code"]) == (409, "cash_session_needs_no_approval")


async def test_late_sales_adjust_the_session_and_not_its_count(drawer: Drawer) -> None:
    await drawer.open("100")
    await drawer.sell("50")
    closed = await drawer.close("230")
    assert closed["needsApproval"] is True
    late = await drawer.sell("80")
    assert late.late is True
    after = await drawer.session()
    assert (after["closingCash"], after["expectedCash"], after["difference"]) == ("230.00", "150.00", "80.00")
    assert (after["lateCash"], after["adjustedDifference"], after["needsApproval"]) == ("80.00", "0.00", False)

    await drawer.sell("33", method="QR_STATIC")
    assert (await drawer.session())["lateCash"] == "80.00"
    await drawer.sell("20.01")
    reopened = await drawer.session()
    assert (reopened["adjustedDifference"], reopened["needsApproval"]) == ("-20.01", True)
    await drawer.data("POST", f"/sessions/{drawer.session_id}/approve", {})
    await drawer.sell("5")
    assert (await drawer.session())["needsApproval"] is True
    cash, late_cash, count, position = await drawer.sums()
    assert (cash, late_cash) == (Decimal(150), Decimal("105.01"))
    assert count == position


@pytest.mark.parametrize("turn", range(4))
async def test_many_sell_while_one_closes(drawer: Drawer, turn: int) -> None:
    await drawer.open("0")
    sales = [drawer.sold() for _ in range(50)]

    async def close() -> httpx.Response:
        for _ in range(10 * turn):
            await asyncio.sleep(0)
        return await drawer.call("POST", "/close", {"closingCash": "100"})

    *entered, closing = await asyncio.gather(*(drawer.sell("10", sale=sale) for sale in sales), close())
    assert closing.status_code == 200
    assert all(entered)
    after = await drawer.session()
    cash, late_cash, count, position = await drawer.sums()
    assert cash + late_cash == Decimal(500)
    assert (Decimal(after["expectedCash"]), Decimal(after["lateCash"])) == (cash, late_cash)
    assert sum(one.late for one in entered) * 10 == late_cash
    assert (count, position) == (52, 52)


async def test_of_two_who_open_one_does(drawer: Drawer) -> None:
    answers = await asyncio.gather(*(drawer.call("POST", "/open", {"openingCash": "1"}) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"cash_register_open"}
    closings = await asyncio.gather(*(drawer.call("POST", "/close", {"closingCash": "1"}) for _ in range(4)))
    assert sorted(answer.status_code for answer in closings) == [200, 409, 409, 409]


async def test_no_more_is_taken_out_than_there_is(drawer: Drawer) -> None:
    closed = await drawer.call("POST", "/movements", {"type": "IN", "amount": "1", "reason": "Cambio"})
    assert (closed.status_code, closed.json()["code"]) == (409, "cash_register_closed")
    await drawer.open("100")
    out = {"type": "OUT", "amount": "40", "reason": "Proveedor"}
    answers = await asyncio.gather(*(drawer.call("POST", "/movements", out, by=drawer.employee) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 422, 422, 422]
    refused = next(answer for answer in answers if answer.status_code == 422)
    assert refused.json()["code"] == "insufficient_cash"
    assert "20" not in refused.json()["message"]
    assert (await drawer.session())["expectedCash"] == "20.00"


async def test_an_employee_counts_blindly(drawer: Drawer) -> None:
    await drawer.open("100")
    await drawer.sell("25")
    seen = await drawer.session(by=drawer.employee)
    assert (seen["expectedCash"], seen["totals"]) == (None, None)
    assert (await drawer.data("GET", by=drawer.employee))["expectedCash"] is None
    assert (await drawer.data("GET", "/sessions", by=drawer.employee))[0]["expectedCash"] is None
    ledger_of = await drawer.call("GET", f"/sessions/{drawer.session_id}/entries", by=drawer.employee)
    assert (ledger_of.status_code, ledger_of.json()["code"]) == (403, "count_is_blind")
    assert (await drawer.session())["expectedCash"] == (await drawer.data("GET"))["expectedCash"] == "125.00"
    assert (await drawer.close("125", by=drawer.employee))["expectedCash"] == "125.00"


async def test_only_those_of_the_branch(drawer: Drawer) -> None:
    shop = drawer.shop
    colleague = make_principal(works_at=[(shop.business.id, [new_id()])])
    stranger = make_principal(owns=[new_id()])
    await drawer.open("100")
    for method, path, body in (
        ("GET", "", None),
        ("POST", "/open", {"openingCash": "1"}),
        ("POST", "/close", {"closingCash": "1"}),
        ("POST", "/movements", {"type": "IN", "amount": "1", "reason": "x"}),
        ("GET", "/movements", None),
        ("GET", "/sessions", None),
        ("GET", f"/sessions/{drawer.session_id}", None),
        ("GET", f"/sessions/{drawer.session_id}/entries", None),
        ("POST", f"/sessions/{drawer.session_id}/approve", {}),
        ("PATCH", "", {"name": "Otra"}),
        ("DELETE", "", None),
    ):
        assert (await drawer.call(method, path, body, by=colleague)).status_code == 403, path
        assert (await drawer.call(method, path, body, by=stranger)).status_code == 404, path
    for method, body in (("PATCH", {"name": "Otra"}), ("DELETE", None)):
        assert (await drawer.call(method, "", body, by=drawer.employee)).status_code == 403
    client, headers = shop.sut.client, shop.sut.as_(colleague)
    assert (await client.get("/api/v1/cash-registers", headers=headers)).json()["data"] == []
    headers = shop.sut.as_(drawer.employee)
    [seen] = (await client.get("/api/v1/cash-registers", headers=headers)).json()["data"]
    assert (seen["id"], seen["status"]) == (drawer.id, "OPEN")
    new = {"businessId": str(shop.business.id), "name": "Caja 2"}
    assert (await client.post("/api/v1/cash-registers", json=new, headers=headers)).status_code == 403


async def test_names_are_unique_at_a_branch_and_an_open_drawer_stays(drawer: Drawer) -> None:
    shop = drawer.shop
    again = {"businessId": str(shop.business.id), "branchId": str(shop.branch.id), "name": "CAJA  1"}
    client, headers = shop.sut.client, shop.sut.as_(shop.owner)
    taken = await client.post("/api/v1/cash-registers", json=again, headers=headers)
    assert (taken.status_code, taken.json()["code"]) == (409, "cash_register_name_taken")
    other = await Drawer.of(shop, "Caja 2")
    assert (await other.call("PATCH", "", {"name": "caja 1"})).json()["code"] == "cash_register_name_taken"
    await drawer.open()
    kept = await drawer.call("DELETE")
    assert (kept.status_code, kept.json()["code"]) == (409, "cash_register_open")
    await drawer.close("500")
    assert (await drawer.call("DELETE")).status_code == 204
    assert (await drawer.call("GET")).status_code == 404
    assert (await other.call("PATCH", "", {"name": "Caja 1", "tolerance": "0"})).status_code == 200
    assert (await other.data("GET"))["tolerance"] == "0.00"


async def test_past_midnight_it_is_still_the_day_of_the_opening(sut: Any, open_shop: Callable[..., Any]) -> None:
    drawer = await Drawer.of(open_shop(Country.MX))
    before = sut.clock.now()
    evening = datetime(2026, 3, 11, 5, 30, tzinfo=UTC)
    sut.clock.advance(evening - before)
    try:
        opened = await drawer.open("0")
        sut.clock.advance(timedelta(hours=3))
        await drawer.sell("10")
        closed = await drawer.close("10")
    finally:
        sut.clock.advance(before - sut.clock.now())
    assert opened["businessDay"] == closed["businessDay"] == "2026-03-10"
    listed = await drawer.data("GET", "/sessions", **{"from": "2026-03-10", "to": "2026-03-10", "status": "CLOSED"})
    assert [one["id"] for one in listed] == [drawer.session_id]
    assert await drawer.data("GET", "/sessions", **{"from": "2026-03-11"}) == []


async def test_which_drawer_a_sale_belongs_to(drawer: Drawer) -> None:
    shop, database = drawer.shop, drawer.shop.sut.kit.database

    async def session_for(register_id: str | None, **when: Any) -> UUID | None:
        async with database.transaction() as unit:
            return await ledger.session_for(
                unit,
                business_id=shop.business.id,
                branch_id=shop.branch.id,
                register_id=UUID(register_id) if register_id else None,
                **when,
            )

    assert await session_for(None) is None
    with pytest.raises(Exception, match="closed"):
        await session_for(drawer.id)
    await drawer.open()
    assert await session_for(None) == await session_for(drawer.id) == UUID(drawer.session_id)
    other = await Drawer.of(shop, "Caja 2")
    await other.open()
    assert await session_for(None) is None
    assert await session_for(other.id) == UUID(other.session_id)
    with pytest.raises(Exception, match="not found"):
        await session_for(str(new_id()))
    then = shop.sut.clock.now()
    shop.sut.clock.advance(timedelta(minutes=1))
    await drawer.close("500")
    first = drawer.session_id
    assert await session_for(drawer.id, sold_at=then) == UUID(first)
    assert await session_for(drawer.id, sold_at=shop.sut.clock.now()) is None
    assert await session_for(drawer.id, sold_at=then - timedelta(days=1)) is None


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("/open", {}, 400, "body"),
        ("/open", {"openingCash": "1", "denominations": {"1": 1}}, 400, "body"),
        ("/open", {"openingCash": "-1"}, 400, "openingCash"),
        ("/open", {"openingCash": "0.001"}, 400, "openingCash"),
        ("/open", {"openingCash": "999999999999999"}, 400, "openingCash"),
        ("/open", {"denominations": {"7": 1}}, 400, "denominations.7"),
        ("/open", {"denominations": {"0.5": 1, "0.50": 1}}, 400, None),
        ("/open", {"denominations": {"500": -1}}, 400, None),
        ("/open", {"denominations": {"500": 1.5}}, 400, None),
        ("/open", {"denominations": {"5\u0000": 1}}, 400, None),
        ("/close", {"closingCash": None}, 400, "body"),
        ("/close", {"closingCash": "1", "notes": "\u0000"}, 400, "notes"),
        ("/movements", {"type": "IN", "amount": "0", "reason": "x"}, 400, "amount"),
        ("/movements", {"type": "SALE", "amount": "1", "reason": "x"}, 400, "type"),
        ("/movements", {"type": "IN", "amount": "1", "reason": ""}, 400, "reason"),
    ],
)
async def test_what_cannot_be_meant_is_told_by_field(
    drawer: Drawer, path: str, body: Any, status: int, field: str | None
) -> None:
    answer = await drawer.call("POST", path, body)
    assert answer.status_code == status, answer.text
    assert field is None or field in [error["field"] for error in answer.json()["errors"]]


async def test_amounts_at_the_limit_do_not_overflow(drawer: Drawer) -> None:
    await drawer.open("100000000000")
    for _ in range(3):
        assert await drawer.sell(str(Money(10**15, Currency.MXN))) is not None
    session = await drawer.session()
    assert session["expectedCash"] == "30100000000000.00"
    assert (await drawer.close("0"))["difference"] == "-30100000000000.00"


async def test_the_report_says_for_ever_what_the_closing_said(drawer: Drawer) -> None:
    await drawer.open("100")
    await drawer.sell("50")
    path = f"/sessions/{drawer.session_id}/report.pdf"
    early = await drawer.call("GET", path)
    assert (early.status_code, early.json()["code"]) == (409, "cash_session_open")
    await drawer.close("149", by=drawer.employee)
    printed = await drawer.call("GET", path, by=drawer.employee)
    assert (printed.status_code, printed.headers["content-type"]) == (200, "application/pdf")
    assert printed.content.startswith(b"%PDF-")
    await drawer.sell("80")
    await drawer.data("POST", f"/sessions/{drawer.session_id}/approve", {})
    await drawer.data("PATCH", "", {"name": "Otra"})
    assert (await drawer.call("GET", path)).content == printed.content
    other = await drawer.call("GET", path, lang="en", format="a4")
    assert other.content not in (b"", printed.content)
    stranger = make_principal(owns=[new_id()])
    assert (await drawer.call("GET", path, by=stranger)).status_code == 404


_STEPS = st.lists(
    st.tuples(st.sampled_from(["sell", "qr", "refund", "IN", "OUT", "again", "close"]), st.integers(1, 50_000)),
    min_size=1,
    max_size=12,
)


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=_STEPS)
async def test_the_running_total_is_the_sum_of_the_ledger(shop: Any, steps: list[tuple[str, int]]) -> None:
    drawer = await Drawer.of(shop, f"Caja {new_id()}")
    await drawer.open("100")
    model, late, closed = Decimal(100), Decimal(0), False
    last = drawer.sold()
    for kind, minor in steps:
        amount = str(Money(minor, Currency.MXN))
        change = Decimal(0)
        match kind:
            case "sell":
                last = drawer.sold()
                await drawer.sell(amount, sale=last)
                change = Decimal(amount)
            case "again":
                change = Decimal(amount) if await drawer.sell(amount, sale=last) is not None else Decimal(0)
            case "qr":
                await drawer.sell(amount, method="QR_DYNAMIC")
            case "refund":
                await drawer.refund(amount)
                change = -Decimal(amount)
            case "IN" | "OUT":
                body = {"type": kind, "amount": amount, "reason": "Prueba"}
                answer = await drawer.call("POST", "/movements", body)
                refused = closed or (kind == "OUT" and Decimal(amount) > model)
                assert answer.status_code == ((409 if closed else 422) if refused else 201)
                if not refused:
                    change = Decimal(amount) if kind == "IN" else -Decimal(amount)
            case _ if not closed:
                await drawer.close("100")
                closed = True
        late, model = (late + change, model) if closed else (late, model + change)
        session = await drawer.session()
        assert (Decimal(session["expectedCash"]), Decimal(session["lateCash"])) == (model, late)
    cash, late_cash, count, position = await drawer.sums()
    assert (cash, late_cash, count) == (model, late, position)
