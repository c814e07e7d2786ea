import pytest
from contracts.tooling.compatibility import breaks, describe_events

pytestmark = pytest.mark.contract

BEFORE = {"event sale.completed": {"total.amount": "string", "items[].quantity": "integer"}}


def test_growing_is_allowed() -> None:
    now = {"event sale.completed": {**BEFORE["event sale.completed"], "tip.amount": "string"}, "event new": {}}
    assert breaks(BEFORE, now) == []


@pytest.mark.parametrize(
    ("now", "problem"),
    [
        ({}, "event sale.completed is gone"),
        ({"event sale.completed": {"total.amount": "string"}}, "items[].quantity"),
        (
            {"event sale.completed": {"total.amount": "integer", "items[].quantity": "integer"}},
            "was string, is integer",
        ),
    ],
)
def test_removing_and_retyping_is_not(now: dict[str, dict[str, str]], problem: str) -> None:
    [found] = breaks(BEFORE, now)
    assert problem in found


def test_nested_fields_are_described() -> None:
    fields = describe_events()["event sale.completed"]
    assert fields["total.amount"] == "string"
    assert fields["items[].unitPrice.amount"] == "string"
    assert fields["businessId"] == "string:uuid"
