"""A shop's day in any order: products, stock, sales, payments, refunds and the drawer, against a model of its own.

The model knows nothing of how the services work. After every step its books and theirs must agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from kernel import new_id

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

_CENT = Decimal("0.01")
_PRICES = ("0.01", "7.77", "19.90", "100.00", "333.33")
_QUANTITIES = st.integers(1, 4)
_PERCENTS = st.sampled_from((None, "12.5", "33.3333", "100"))


@dataclass
class Goods:
    id: str
    price: Decimal
    on_hand: int
    reserved: int = 0


@dataclass
class Sold:
    """cash: the part of total that is paid in cash. in_drawer: whether its cash went into one."""

    id: str
    goods: Goods
    quantity: int
    total: Decimal
    cash: Decimal
    status: str
    in_drawer: bool = False
    refunded: Decimal = Decimal(0)
    cash_refunded: Decimal = Decimal(0)
    units_refunded: int = 0
    body: dict[str, Any] | None = None

    @property
    def left(self) -> int:
        return self.quantity - self.units_refunded


@dataclass
class Day:
    goods: list[Goods] = field(default_factory=list)
    sales: list[Sold] = field(default_factory=list)
    # Expected cash of the sessions so far, in order; the last one is open when `open` says so.
    drawers: list[Decimal] = field(default_factory=list)
    open: bool = False


class Books(RuleBasedStateMachine):
    """town is set by the test."""

    town: Any

    @initialize()
    def opens(self) -> None:
        self.shop = self.town.open_shop()
        self.day = Day()
        body = {"businessId": str(self.shop.business_id), "branchId": str(self.shop.branch_id), "name": "Caja 1"}
        self.register = f"/cash-registers/{self._data('POST', '/cash-registers', body)['id']}"
        self._new_product(_PRICES[2], 5)

    @rule(price=st.sampled_from(_PRICES), stock=st.integers(0, 6))
    @precondition(lambda self: len(self.day.goods) < 3)
    def new_product(self, price: str, stock: int) -> None:
        self._new_product(price, stock)

    @rule(data=st.data(), quantity=_QUANTITIES)
    def goods_come_in(self, data: st.DataObject, quantity: int) -> None:
        goods = data.draw(st.sampled_from(self.day.goods))
        self.town.run(self.shop.put_in_stock(goods.id, quantity))
        goods.on_hand += quantity

    @rule(data=st.data(), price=st.sampled_from(_PRICES))
    def another_price(self, data: st.DataObject, price: str) -> None:
        """What is sold from now on costs it; what has been sold does not."""
        goods = data.draw(st.sampled_from(self.day.goods))
        self._data("PATCH", f"/products/{goods.id}", {"price": price})
        goods.price = Decimal(price)

    @rule(opening=st.sampled_from(("0", "500.00")))
    def opens_drawer(self, opening: str) -> None:
        status, answer = self._call("POST", f"{self.register}/open", {"openingCash": opening})
        if self.day.open:
            assert (status, answer["code"]) == (409, "cash_register_open")
            return
        assert status == 201, answer
        self.day.open = True
        self.day.drawers.append(Decimal(opening))

    @rule(over=st.sampled_from(("0", "1.00")))
    @precondition(lambda self: self.day.open)
    def closes_drawer(self, over: str) -> None:
        counted = max(self.day.drawers[-1], Decimal(0)) + Decimal(over)
        closed = self._data("POST", f"{self.register}/close", {"closingCash": str(counted)})
        assert Decimal(closed["difference"]) == counted - self.day.drawers[-1]
        self.day.open = False
        self.town.run(self.town.passes(1))

    @rule(amount=st.sampled_from(("10.00", "250.00")), out=st.booleans())
    @precondition(lambda self: self.day.open)
    def moves_cash(self, amount: str, out: bool) -> None:
        body = {"type": "OUT" if out else "IN", "amount": amount, "reason": "Cambio"}
        status, answer = self._call("POST", f"{self.register}/movements", body)
        if out and self.day.drawers[-1] < Decimal(amount):
            assert (status, answer["code"]) == (422, "insufficient_cash")
            return
        assert status == 201, answer
        self.day.drawers[-1] += -Decimal(amount) if out else Decimal(amount)

    @rule(data=st.data(), quantity=_QUANTITIES, percent=_PERCENTS)
    def sells_for_cash(self, data: st.DataObject, quantity: int, percent: str | None) -> None:
        sold = self._sells(data, quantity, percent, cash=True, other=False)
        if sold is not None:
            self._completes(sold)

    @rule(data=st.data(), quantity=_QUANTITIES, percent=_PERCENTS, split=st.booleans())
    def sells_by_qr(self, data: st.DataObject, quantity: int, percent: str | None, split: bool) -> None:
        sold = self._sells(data, quantity, percent, cash=split, other=True)
        if sold is not None:
            sold.goods.reserved += quantity

    @rule(data=st.data(), pays=st.booleans())
    @precondition(lambda self: self._with_status("PENDING_PAYMENT"))
    def buyer_decides(self, data: st.DataObject, pays: bool) -> None:
        sold = data.draw(st.sampled_from(self._with_status("PENDING_PAYMENT")))
        self.town.run(self.shop.pays({"id": sold.id}, succeeds=pays))
        sold.goods.reserved -= sold.quantity
        if pays:
            self._completes(sold)
        else:
            sold.status = "CANCELED"

    @rule(data=st.data(), quantity=_QUANTITIES)
    def sold_offline(self, data: st.DataObject, quantity: int) -> None:
        """Nothing is refused; what was not in stock is found to have been."""
        goods = data.draw(st.sampled_from(self.day.goods))
        # The prices of a moment are those at its end: what was just changed counts.
        self.town.run(self.town.passes(1))
        body = {
            "id": str(new_id()),
            "soldAt": self.town.sales.clock.now().isoformat(),
            "sequence": 1 + len([sold for sold in self.day.sales if sold.body]),
            "items": [{"productId": goods.id, "quantity": quantity}],
            "payment": {"method": "CASH"},
        }
        assert self._syncs(body) == "accepted"
        total = goods.price * quantity
        sold = Sold(body["id"], goods, quantity, total, total, "PENDING_PAYMENT", body=body)
        goods.on_hand = max(goods.on_hand, goods.reserved + quantity)
        sold.in_drawer = self.day.open
        self.day.sales.append(sold)
        self._completes(sold)

    @rule(data=st.data())
    @precondition(lambda self: any(sold.body for sold in self.day.sales))
    def offline_sale_comes_again(self, data: st.DataObject) -> None:
        sold = data.draw(st.sampled_from([sold for sold in self.day.sales if sold.body]))
        assert self._syncs(sold.body) == "duplicate"

    @rule(data=st.data(), restock=st.booleans(), whole=st.booleans())
    @precondition(lambda self: self._with_status("COMPLETED", "PARTIALLY_REFUNDED"))
    def refunds(self, data: st.DataObject, restock: bool, whole: bool) -> None:
        sold = data.draw(st.sampled_from(self._with_status("COMPLETED", "PARTIALLY_REFUNDED")))
        units = sold.left if whole else data.draw(st.integers(1, sold.quantity))
        body: dict[str, Any] = {"restock": restock}
        if not whole:
            body["items"] = [{"productId": sold.goods.id, "quantity": units}]
        status, answer = self._call("POST", f"/sales/{sold.id}/refund", body)
        if units > sold.left:
            assert (status, answer["code"]) == (422, "refund_exceeds_sale")
            return
        if status == 409:
            # The cash went into a drawer, and none is open to give it back.
            assert answer["code"] == "cash_register_closed"
            assert sold.in_drawer
            assert not self.day.open
            assert sold.cash > sold.cash_refunded
            return
        assert status == 201, answer
        refund = answer["data"]
        assert refund["status"] == "SUCCEEDED"
        amount = Decimal(refund["amount"])
        in_cash = min(amount, sold.cash - sold.cash_refunded)
        sold.refunded += amount
        sold.cash_refunded += in_cash
        sold.units_refunded += units
        # However it was cut, what was paid is what comes back.
        assert abs(amount - sold.total * units / sold.quantity) < 1
        sold.status = "REFUNDED" if sold.left == 0 else "PARTIALLY_REFUNDED"
        if sold.left == 0:
            assert sold.refunded == sold.total
        if restock:
            sold.goods.on_hand += units
        if self.day.open:
            self.day.drawers[-1] -= in_cash

    @invariant()
    def books_agree(self) -> None:
        if not hasattr(self, "day"):
            return
        stocked = {goods.id: (goods.on_hand, goods.reserved) for goods in self.day.goods}
        known = {goods.id: (0, 0) for goods in self.day.goods} | self.town.run(self.shop.stock())
        assert known == stocked
        drawers = self.town.run(self.shop.drawers())
        assert [(drawer.expected, drawer.late_cash) for drawer in drawers] == [
            (expected, Decimal(0)) for expected in self.day.drawers
        ]
        assert [drawer.status for drawer in drawers if drawer.status == "OPEN"] == ["OPEN"] * self.day.open
        self.town.run(self.shop.refunds_add_up())

    def teardown(self) -> None:
        """Every sale is what the model says, through the API."""
        for sold in getattr(self, "day", Day()).sales:
            sale = self._data("GET", f"/sales/{sold.id}")
            assert (sale["status"], Decimal(sale["total"])) == (sold.status, sold.total)
            assert Decimal(sale["refundedAmount"]) == sold.refunded

    def _new_product(self, price: str, stock: int) -> None:
        self.day.goods.append(Goods(self.town.run(self.shop.product(price, stock)), Decimal(price), stock))

    def _sells(
        self, data: st.DataObject, quantity: int, percent: str | None, *, cash: bool, other: bool
    ) -> Sold | None:
        """A sale as it begins; None where it was refused as it should be."""
        goods = data.draw(st.sampled_from(self.day.goods))
        gross = goods.price * quantity
        off = (gross * Decimal(percent or 0) / 100).quantize(_CENT, ROUND_HALF_UP)
        total, part = gross - off, Decimal(0)
        fields: dict[str, Any] = {"discount": {"percent": percent}} if percent else {}
        if cash and other:
            part = max((total / 3).quantize(_CENT), _CENT)
            fields["payments"] = [{"method": "CASH", "amount": str(part)}, {"method": "QR_DYNAMIC"}]
        elif other:
            fields["payment"] = {"method": "QR_DYNAMIC"}
        else:
            part = total
        status, answer = self._call("POST", "/sales", self.shop.basket(goods.id, quantity, **fields))
        if goods.on_hand - goods.reserved < quantity:
            assert (status, answer["code"]) == (422, "insufficient_stock")
            return None
        if other and total <= part:
            assert (status, answer["code"]) in {(422, "nothing_to_pay"), (422, "payments_do_not_add_up")}
            return None
        assert status == 201, answer
        sale = answer["data"]
        assert Decimal(sale["total"]) == total
        sold = Sold(sale["id"], goods, quantity, total, part, "PENDING_PAYMENT", in_drawer=self._in_drawer(sale))
        self.day.sales.append(sold)
        return sold

    def _in_drawer(self, sale: dict[str, Any]) -> bool:
        assert (sale["cashSessionId"] is not None) == self.day.open
        return self.day.open

    def _completes(self, sold: Sold) -> None:
        sold.status = "COMPLETED"
        sold.goods.on_hand -= sold.quantity
        if sold.in_drawer:
            self.day.drawers[-1] += sold.cash

    def _with_status(self, *statuses: str) -> list[Sold]:
        return [sold for sold in self.day.sales if sold.status in statuses]

    def _syncs(self, sale: Any) -> str:
        body = {
            "businessId": str(self.shop.business_id),
            "branchId": str(self.shop.branch_id),
            "deviceId": "caja-1",
            "sales": [sale],
        }
        [result] = self._data("POST", "/sales/sync", body)["results"]
        return str(result["result"])

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        answer: tuple[int, dict[str, Any]] = self.town.run(self.shop.call(method, path, body))
        return answer

    def _data(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return self.town.run(self.shop.data(method, path, body))


def test_model_and_books_agree_after_every_step(town: Any) -> None:
    Books.town = town
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Books,
        settings=settings(
            max_examples=4,
            stateful_step_count=25,
            # A failure tells its steps; making them fewer would take as long as all the rest.
            phases=[Phase.generate],
            derandomize=True,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
