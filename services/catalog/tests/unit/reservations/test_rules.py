from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from catalog.reservations.order import merged
from catalog.reservations.status import ReservationStatus, effective
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 1, 15, 18, tzinfo=UTC)


@given(st.lists(st.tuples(st.integers(0, 5).map(lambda number: UUID(int=number)), st.integers(1, 9))))
def test_merging_loses_nothing_and_orders_by_product(lines) -> None:
    result = merged(lines)

    assert list(result) == sorted({product for product, _ in lines})
    assert sum(result.values()) == sum(quantity for _, quantity in lines)


@pytest.mark.parametrize(
    ("status", "seconds", "expected"),
    [
        (ReservationStatus.RESERVED, 1, ReservationStatus.RESERVED),
        (ReservationStatus.RESERVED, 0, ReservationStatus.RELEASED),
        (ReservationStatus.RESERVED, -1, ReservationStatus.RELEASED),
        (ReservationStatus.COMMITTED, -1, ReservationStatus.COMMITTED),
        (ReservationStatus.RELEASED, 1, ReservationStatus.RELEASED),
    ],
)
def test_what_is_over_counts_as_released(status, seconds, expected) -> None:
    assert effective(status, NOW + timedelta(seconds=seconds), NOW) is expected


def test_a_tombstone_has_no_term() -> None:
    assert effective(ReservationStatus.RELEASED, None, NOW) is ReservationStatus.RELEASED
