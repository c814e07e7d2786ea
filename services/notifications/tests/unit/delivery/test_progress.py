from functools import reduce
from itertools import permutations

import pytest
from notifications.delivery.progress import DeliveryStatus, further


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_reports_in_any_order_and_twice_come_to_the_same(size: int) -> None:
    for reports in permutations(DeliveryStatus, size):
        ends = {
            reduce(further, [*order, *order], None)  # type: ignore[arg-type]
            for order in permutations(reports)
        }
        assert len(ends) == 1


def test_what_is_returned_after_it_arrived_has_not_arrived() -> None:
    assert further(DeliveryStatus.DELIVERED, DeliveryStatus.UNDELIVERED) is DeliveryStatus.UNDELIVERED
    assert further(DeliveryStatus.DELIVERED, DeliveryStatus.DELAYED) is DeliveryStatus.DELIVERED
