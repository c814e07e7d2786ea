import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel import Currency, Money
from payments.intents import status
from payments.intents.status import PUBLIC, TRANSITIONS, Evidence, PaymentStatus, Step

steps = st.sampled_from(Step)
evidence = st.sampled_from(Evidence)

TABLE = [
    (Step.SUBMITTING, Evidence.WAITING, [Step.PENDING]),
    (Step.SUBMITTING, Evidence.PAID, [Step.PENDING, Step.CONFIRMED]),
    (Step.SUBMITTING, Evidence.FAILED, [Step.FAILED]),
    (Step.UNKNOWN, Evidence.WAITING, [Step.PENDING]),
    (Step.UNKNOWN, Evidence.PAID, [Step.PENDING, Step.CONFIRMED]),
    (Step.UNKNOWN, Evidence.FAILED, [Step.FAILED]),
    (Step.PENDING, Evidence.WAITING, []),
    (Step.PENDING, Evidence.PAID, [Step.CONFIRMED]),
    (Step.PENDING, Evidence.FAILED, [Step.FAILED]),
    (Step.CONFIRMED, Evidence.WAITING, []),
    (Step.CONFIRMED, Evidence.PAID, []),
    (Step.CONFIRMED, Evidence.FAILED, []),
    (Step.PARTIALLY_REFUNDED, Evidence.WAITING, []),
    (Step.PARTIALLY_REFUNDED, Evidence.PAID, []),
    (Step.PARTIALLY_REFUNDED, Evidence.FAILED, []),
    (Step.REFUNDED, Evidence.WAITING, []),
    (Step.REFUNDED, Evidence.PAID, []),
    (Step.REFUNDED, Evidence.FAILED, []),
    (Step.FAILED, Evidence.WAITING, []),
    (Step.FAILED, Evidence.PAID, [Step.CONFIRMED]),
    (Step.FAILED, Evidence.FAILED, []),
]


@pytest.mark.parametrize(("step", "seen", "expected"), TABLE)
def test_every_pair_of_step_and_evidence_has_its_path(step: Step, seen: Evidence, expected: list[Step]) -> None:
    assert list(status.path(step, seen)) == expected


def test_the_table_is_complete() -> None:
    assert {(step, seen) for step, seen, _ in TABLE} == {(step, seen) for step in Step for seen in Evidence}
    assert set(TRANSITIONS) == set(PUBLIC) == set(Step)


@given(steps, st.lists(evidence, max_size=30))
def test_any_evidence_in_any_order_takes_only_allowed_steps(step: Step, seen: list[Evidence]) -> None:
    for item in seen:
        for to in status.path(step, item):
            status.check(step, to)
            step = to


@given(st.lists(evidence, max_size=30))
def test_money_is_confirmed_once_and_never_unconfirmed(seen: list[Evidence]) -> None:
    step, confirmations = Step.SUBMITTING, 0
    for item in seen:
        for to in status.path(step, item):
            confirmations += to is Step.CONFIRMED
            step = to
    assert confirmations == (1 if Evidence.PAID in seen else 0)
    assert (step is Step.CONFIRMED) == (Evidence.PAID in seen)


@given(steps, steps)
def test_a_step_outside_the_table_is_refused(step: Step, to: Step) -> None:
    if to in TRANSITIONS[step]:
        status.check(step, to)
    else:
        with pytest.raises(status.IllegalMove):
            status.check(step, to)


def test_only_money_after_giving_up_is_late() -> None:
    late = {(step, to) for step in Step for to in TRANSITIONS[step] if status.is_late(step, to)}
    assert late == {(Step.FAILED, Step.CONFIRMED)}


def test_unknown_is_pending_to_the_outside_and_found_by_its_filter() -> None:
    assert set(status.steps_of(PaymentStatus.PENDING)) == {Step.SUBMITTING, Step.UNKNOWN, Step.PENDING}
    assert {step for public in PaymentStatus for step in status.steps_of(public)} == set(Step)


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_a_payment_is_refunded_when_nothing_is_left(amount: int, refunded: int) -> None:
    step = status.after_refund(Money(amount, Currency.CLP), Money(min(refunded, amount), Currency.CLP))
    assert (step is Step.REFUNDED) == (refunded >= amount)
