from uuid import UUID

import pytest
from catalog.stock.events import ChangedLevel, events_of
from catalog.stock.movement import MovementType
from contracts.events.catalog import StockChanged, StockLow


def level(*, on_hand: int, change: int, min_stock: int = 5) -> ChangedLevel:
    nobody = UUID(int=0)
    return ChangedLevel(
        id=nobody,
        business_id=nobody,
        product_id=nobody,
        branch_id=nobody,
        on_hand=on_hand,
        reserved=0,
        version=2,
        change=change,
        product_name="Pan",
        min_stock=min_stock,
    )


@pytest.mark.parametrize(
    ("before", "after", "low"),
    [(6, 5, True), (9, 0, True), (5, 4, False), (6, 6, False), (4, 6, False), (5, 6, False), (7, 6, False)],
)
def test_low_is_the_crossing_from_above(before, after, low) -> None:
    events = events_of(level(on_hand=after, change=after - before), MovementType.OUT)

    assert [type(event) for event in events] == [StockChanged, StockLow] if low else [StockChanged]


def test_without_a_minimum_the_last_unit_is_the_crossing() -> None:
    assert level(on_hand=0, change=-1, min_stock=0).became_low
    assert not level(on_hand=1, change=-1, min_stock=0).became_low
