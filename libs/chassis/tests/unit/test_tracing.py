"""What travels on of a trace is the same whether the SDK makes the span or, where nobody records it, we do."""

import pytest
from chassis.telemetry import tracing
from opentelemetry import propagate, trace

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = f"00-{TRACE}-b7ad6b7169203331-"


@pytest.fixture
def unrecorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process without an exporter."""
    monkeypatch.setattr(tracing._sampling, "may_record", False)
    monkeypatch.setattr(tracing._sampling, "follows_parent", True)


@pytest.fixture(params=["by us", "by the SDK"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing._sampling, "may_record", False)
    monkeypatch.setattr(tracing._sampling, "follows_parent", request.param == "by us")


@pytest.mark.usefixtures("unrecorded")
def test_a_span_continues_the_callers_trace_under_an_id_of_its_own() -> None:
    with tracing.span("one", carrier={"traceparent": CALLER + "00"}) as span:
        sent = tracing.inject({})["traceparent"]
    own = f"{span.get_span_context().span_id:016x}"
    assert sent == f"00-{TRACE}-{own}-00"
    assert own != "b7ad6b7169203331"


@pytest.mark.usefixtures("unrecorded")
def test_a_span_within_a_span_is_of_the_same_trace_and_the_outer_one_is_back_after_it() -> None:
    with tracing.span("outer", carrier={}) as outer:
        with tracing.span("inner") as inner:
            assert trace.get_current_span() is inner
        assert trace.get_current_span() is outer
    assert inner.get_span_context().trace_id == outer.get_span_context().trace_id != 0
    assert inner.get_span_context().span_id != outer.get_span_context().span_id
    assert trace.get_current_span() is trace.INVALID_SPAN


@pytest.mark.usefixtures("unrecorded")
def test_a_request_does_not_inherit_the_trace_of_the_task_it_came_in() -> None:
    with tracing.span("before", carrier={"traceparent": CALLER + "00"}), tracing.span("request", carrier={}) as span:
        assert f"{span.get_span_context().trace_id:032x}" != TRACE


@pytest.mark.usefixtures("either")
@pytest.mark.parametrize(
    "carrier",
    [
        {"traceparent": "00-" + "0" * 32 + "-b7ad6b7169203331-00"},
        {"traceparent": f"00-{TRACE}-" + "0" * 16 + "-00"},
        {"traceparent": "nonsense"},
        {"traceparent": CALLER.upper() + "00"},
    ],
)
def test_a_traceparent_that_is_none_begins_no_known_trace(carrier: dict[str, object]) -> None:
    with tracing.span("request", carrier=carrier) as span:
        assert f"{span.get_span_context().trace_id:032x}" != TRACE


@pytest.mark.usefixtures("unrecorded")
@pytest.mark.parametrize("more", [{"tracestate": "vendor=1"}, {"baggage": "shop=7"}])
def test_what_else_a_caller_says_is_left_to_the_propagator(more: dict[str, str]) -> None:
    assert tracing._unrecorded({"traceparent": CALLER + "00", **more}) is None


@pytest.mark.parametrize(("flags", "by_us"), [("00", True), ("01", False)])
def test_with_an_exporter_a_callers_choice_is_followed(
    monkeypatch: pytest.MonkeyPatch, flags: str, by_us: bool
) -> None:
    monkeypatch.setattr(tracing._sampling, "may_record", True)
    monkeypatch.setattr(tracing._sampling, "follows_parent", True)
    assert (tracing._unrecorded({"traceparent": CALLER + flags}) is not None) is by_us
    assert tracing._unrecorded({}) is None


@pytest.mark.parametrize(
    "caller",
    [
        {},
        {"traceparent": CALLER + "00"},
        {"traceparent": CALLER + "01"},
        {"traceparent": CALLER + "01", "tracestate": "vendor=1"},
        {"traceparent": CALLER + "01", "baggage": "shop=7"},
        {"baggage": "shop=7"},
    ],
)
def test_what_leaves_is_what_the_propagator_would_write(caller: dict[str, str]) -> None:
    with tracing.attached(caller):
        expected: dict[str, str] = {}
        propagate.inject(expected)
        assert tracing.inject({}) == expected
