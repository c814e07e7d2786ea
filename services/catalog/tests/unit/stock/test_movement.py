from uuid import UUID

import pytest
from catalog.stock.movement import Change, ManualType, MovementType, changes_of
from hypothesis import given
from hypothesis import strategies as st
from kernel import InvalidInput

A, B = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("kind", "quantity", "change"),
    [
        (ManualType.IN, 3, 3),
        (ManualType.OUT, 3, -3),
        (ManualType.ADJUSTMENT, 3, 3),
        (ManualType.ADJUSTMENT, -3, -3),
    ],
)
def test_one_branch_changes(kind, quantity, change) -> None:
    assert changes_of(kind, quantity, A, None) == [Change(A, change)]


@given(st.uuids(), st.uuids(), st.integers(min_value=1))
def test_a_transfer_creates_nothing_and_locks_in_one_order(here, there, quantity) -> None:
    if here == there:
        return
    changes = changes_of(ManualType.TRANSFER, quantity, here, there)

    assert sum(change.change for change in changes) == 0
    assert [change.branch_id for change in changes] == sorted([here, there])
    assert {change.branch_id: change.other_branch_id for change in changes} == {here: there, there: here}
    assert next(change.change for change in changes if change.branch_id == here) == -quantity


@pytest.mark.parametrize(
    ("kind", "quantity", "to"),
    [
        (ManualType.IN, 0, None),
        (ManualType.OUT, -1, None),
        (ManualType.ADJUSTMENT, 0, None),
        (ManualType.IN, 1, B),
        (ManualType.TRANSFER, 1, None),
        (ManualType.TRANSFER, 1, A),
        (ManualType.TRANSFER, -1, B),
    ],
)
def test_fields_that_do_not_go_together(kind, quantity, to) -> None:
    with pytest.raises(InvalidInput):
        changes_of(kind, quantity, A, to)


def test_every_manual_type_is_a_movement_type() -> None:
    assert {MovementType(kind) for kind in ManualType} == set(MovementType) - {MovementType.SALE, MovementType.RETURN}
