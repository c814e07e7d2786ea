"""Facts about money in any order: in the end money and goods agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel import Currency, Money, new_id
from sales.sales import settlement
from sales.sales.models import Sale
from sales.sales.peers import Payment
from sales.sales.settlement import ForeignPayment, Verdict
from sales.sales.status import AT_REST, STEPS, IllegalMove, PaymentNote, SaleStatus, Step, check_move

NOW = datetime(2026, 1, 15, 18, tzinfo=UTC)
LEASE = timedelta(seconds=15)
PAYMENT = new_id()
BUSINESS = new_id()


class Published:
    """Stands where the unit of work stands."""

    def __init__(self) -> None:
        self.types: list[str] = []

    def publish(self, *events: Any) -> None:
        self.types += [event.type for event in events]


def make_sale(step: Step = Step.AWAITING_PAYMENT, **fields: Any) -> Sale:
    amounts = {
        "subtotal": Decimal("129.74"),
        "discount": Decimal(0),
        "tax": Decimal("20.76"),
        "total": Decimal("150.5"),
    }
    values: dict[str, Any] = {
        "id": new_id(),
        "business_id": BUSINESS,
        "branch_id": new_id(),
        "status": SaleStatus.PENDING_PAYMENT,
        "step": step,
        "version": 3,
        "created_at": NOW,
        "currency": "MXN",
        "time_zone": "America/Mexico_City",
        "payment_method": "QR_DYNAMIC",
        "transaction_id": PAYMENT,
        "payment_version": 1,
        "refunded_amount": Decimal(0),
        "cash_amount": Decimal(0),
        "rounding": Decimal(0),
        "resume_attempts": 0,
        "items": [],
        **amounts,
    }
    return Sale(**(values | fields))


def make_payment(status: str = "CONFIRMED", *, version: int = 2, amount: str = "150.50", **fields: Any) -> Payment:
    values: dict[str, Any] = {"id": PAYMENT, "business_id": BUSINESS, "failure_reason": None} | fields
    return Payment(status=status, amount=Money.of(amount, Currency.MXN), version=version, **values)


class World:
    """A catalogue and a provider around one sale, with the goods coming and going as a test likes."""

    def __init__(self, cash: str = "0") -> None:
        self.sale = make_sale(cash_amount=Decimal(cash))
        self.amount = str(self.sale.money(self.sale.provider_amount))
        self.unit = Published()
        self.goods = "reserved"
        self.given_back = False

    def fact(self, name: str) -> None:
        match name:
            case "confirmed":
                settlement.confirm(self.sale, make_payment(version=2, amount=self.amount), NOW, LEASE)
            case "confirmed late":
                settlement.confirm(self.sale, make_payment(version=4, amount=self.amount), NOW, LEASE)
            case "failed":
                settlement.fail(self.unit, self.sale, make_payment("FAILED", version=3), NOW, LEASE)  # type: ignore[arg-type]
            case "expired reservation":
                self.goods = "free" if self.goods == "reserved" else self.goods
            case "sold out":
                self.goods = "gone" if self.goods == "free" else self.goods
            case _:
                self.step()

    def step(self) -> None:
        sale = self.sale
        match Step(sale.step):
            case Step.COMMITTING if self.goods in {"reserved", "sold"}:
                self.goods = "sold"
                settlement.complete(self.unit, sale, NOW)  # type: ignore[arg-type]
            case Step.COMMITTING:
                sale.move(Step.REVIVING)
            case Step.REVIVING if self.goods == "gone":
                sale.move(Step.REFUNDING)
            case Step.REVIVING:
                self.goods = "reserved"
                sale.move(Step.COMMITTING)
            case Step.REFUNDING:
                self.given_back = True
                self.goods = "free" if self.goods == "reserved" else self.goods
                settlement.refunded(self.unit, sale, "SUCCEEDED", NOW)  # type: ignore[arg-type]
            case Step.RELEASING:
                self.goods = "free" if self.goods == "reserved" else self.goods
                sale.move(Step.SETTLED)
            case _:
                return


FACTS = st.lists(
    st.sampled_from(["confirmed", "confirmed late", "failed", "expired reservation", "sold out", "step", "step"]),
    max_size=25,
)


@given(FACTS, st.sampled_from(["0", "50.00"]))
def test_money_and_goods_agree_in_the_end(facts: list[str], cash: str) -> None:
    """Also where a part was paid in cash: that is handed back with the cancellation, and the sale never comes back."""
    world = World(cash)
    for name in facts:
        world.fact(name)
    for _ in range(10):
        world.step()
    sale = world.sale
    assert Step(sale.step) in AT_REST
    kept = sale.payment_confirmed_at is not None and not world.given_back
    assert (sale.status == SaleStatus.COMPLETED) == kept == (world.goods == "sold")
    assert world.unit.types.count("sale.completed") == int(kept)
    assert cash == "0" or not (kept and "sale.canceled" in world.unit.types)
    assert world.unit.types.count("sale.canceled") <= 1
    assert (sale.status == SaleStatus.CANCELED) == (sale.canceled_at is not None) == (sale.cancel_reason is not None)
    if sale.status == SaleStatus.PENDING_PAYMENT:
        assert "confirmed" not in facts
        assert "failed" not in facts


@pytest.mark.parametrize("step", list(Step))
def test_every_step_has_its_moves(step: Step) -> None:
    for following in Step:
        if following in STEPS[step]:
            check_move(step, following)
        else:
            with pytest.raises(IllegalMove):
                check_move(step, following)


@pytest.mark.parametrize("amount", ["150.49", "150.51", "0.01"])
def test_a_confirmation_of_another_amount_is_no_payment(amount: str) -> None:
    sale = make_sale()
    assert settlement.confirm(sale, make_payment(amount=amount), NOW, LEASE) is Verdict.MISMATCH
    assert (sale.step, sale.payment_note) == (Step.AWAITING_PAYMENT, PaymentNote.AMOUNT_MISMATCH)
    assert sale.payment_confirmed_at is None


def test_a_failure_older_than_flagged_money_is_ignored() -> None:
    sale, unit = make_sale(), Published()
    settlement.confirm(sale, make_payment(amount="1.00", version=4), NOW, LEASE)
    assert not settlement.fail(unit, sale, make_payment("FAILED", version=3), NOW, LEASE)  # type: ignore[arg-type]
    assert (sale.status, unit.types) == (SaleStatus.PENDING_PAYMENT, [])


@pytest.mark.parametrize("change", [{"id": UUID(int=1)}, {"business_id": UUID(int=1)}])
def test_a_stranger_cannot_pay(change: dict[str, UUID]) -> None:
    with pytest.raises(ForeignPayment):
        settlement.confirm(make_sale(), make_payment(**change), NOW, LEASE)


@pytest.mark.parametrize("step", [Step.COMMITTING, Step.REVIVING, Step.REFUNDING])
def test_a_failure_does_not_undo_money_that_came(step: Step) -> None:
    sale, unit = make_sale(step, payment_confirmed_at=NOW), Published()
    assert not settlement.fail(unit, sale, make_payment("FAILED", version=9), NOW, LEASE)  # type: ignore[arg-type]
    assert (sale.step, unit.types) == (step, [])


def test_a_sale_refused_before_it_had_a_price_is_not_announced() -> None:
    sale, unit = make_sale(Step.RESERVING), Published()
    settlement.cancel(unit, sale, "insufficient_stock", NOW, LEASE)  # type: ignore[arg-type]
    assert (sale.status, unit.types) == (SaleStatus.CANCELED, [])
