from __future__ import annotations

import pytest
from pydantic import ValidationError
from twins.faults import AUTHORITY_ONLY_FAULTS, CALL_FAULTS, LATER_FAULTS, WEBHOOK_FAULTS, Fault, FaultKind, FaultPlan


def test_a_fault_is_used_up() -> None:
    plan = FaultPlan()
    plan.arm(Fault(kind=FaultKind.HTTP_500, times=2))
    struck = [plan.take(CALL_FAULTS, "orders.get") for _ in range(3)]
    assert [fault is not None for fault in struck] == [True, True, False]
    assert plan.list() == []


def test_a_fault_without_a_number_stays_until_it_is_cleared() -> None:
    plan = FaultPlan()
    plan.arm(Fault(kind=FaultKind.DROP, times=None))
    assert all(plan.take(WEBHOOK_FAULTS, "order.paid") for _ in range(100))
    plan.clear()
    assert plan.take(WEBHOOK_FAULTS, "order.paid") is None


def test_a_fault_strikes_only_its_kind_operation_and_reference() -> None:
    plan = FaultPlan()
    plan.arm(Fault(kind=FaultKind.SLOW, operation="orders.create", reference="r1"))
    assert plan.take(WEBHOOK_FAULTS, "orders.create", {"r1"}) is None
    assert plan.take(CALL_FAULTS, "orders.get", {"r1"}) is None
    assert plan.take(CALL_FAULTS, "orders.create", {"r2"}) is None
    assert plan.take(CALL_FAULTS, "orders.create", {"r1", "r2"}) is not None


def test_the_first_that_strikes_is_taken() -> None:
    plan = FaultPlan()
    plan.arm(Fault(kind=FaultKind.HTTP_500, reference="r1"))
    plan.arm(Fault(kind=FaultKind.HTTP_429))
    plan.arm(Fault(kind=FaultKind.SLOW))
    kinds = [fault.kind if fault else None for fault in (plan.take(CALL_FAULTS, "x", {"r2"}) for _ in range(2))]
    assert kinds == [FaultKind.HTTP_429, FaultKind.SLOW]


def test_every_kind_belongs_to_one_moment() -> None:
    moments = [CALL_FAULTS, WEBHOOK_FAULTS, LATER_FAULTS, AUTHORITY_ONLY_FAULTS]
    assert sorted(kind for kinds in moments for kind in kinds) == sorted(FaultKind)


@pytest.mark.parametrize("options", [{"times": 0}, {"probability": 0}, {"probability": 1.5}, {"seconds": -1}, {"x": 1}])
def test_a_fault_that_makes_no_sense_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Fault.model_validate({"kind": "slow", **options})
