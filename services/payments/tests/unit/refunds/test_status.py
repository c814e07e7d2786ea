from hypothesis import given
from hypothesis import strategies as st
from payments.refunds.status import OPEN, PUBLIC, TRANSITIONS, UNSENT, RefundStatus, RefundStep, may_move

ENDS = {RefundStep.SUCCEEDED, RefundStep.FAILED}


def test_every_step_is_in_the_tables() -> None:
    assert set(TRANSITIONS) == set(PUBLIC) == set(RefundStep)


def test_an_end_is_an_end() -> None:
    assert {step for step in RefundStep if not TRANSITIONS[step]} == ENDS
    assert set(RefundStep) - ENDS == OPEN
    assert UNSENT < OPEN


@given(st.lists(st.sampled_from(RefundStep), max_size=20))
def test_a_refund_ends_at_most_once(wanted: list[RefundStep]) -> None:
    step, ends = RefundStep.SUBMITTING, 0
    for to in wanted:
        if may_move(step, to):
            step = to
            ends += to in ENDS
    assert ends <= 1


def test_what_is_not_answered_is_pending_to_the_outside() -> None:
    assert {PUBLIC[step] for step in OPEN} == {RefundStatus.PENDING}
