from __future__ import annotations

from decimal import Decimal

import pytest
from chassis.outbound import CircuitBreaker, OutboundClient, OutboundResponse, RateBound
from chassis.strict_json import InvalidJson, strict_json
from multidict import CIMultiDict, CIMultiDictProxy


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def make_response(body: bytes = b"", **headers: str) -> OutboundResponse:
    return OutboundResponse(200, CIMultiDictProxy(CIMultiDict(headers)), body)


class TestStrictJson:
    def test_decimals_keep_their_digits(self) -> None:
        assert strict_json(b'{"amount": 150.10, "count": 3}') == {"amount": Decimal("150.10"), "count": 3}

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b'{"a": 1, "a": 2}',
            b'{"a": {"b": 1, "b": 1}}',
            b"NaN",
            b'{"a": Infinity}',
            b'"\xff"',
            b"[" * 100_000,
            b"1" * 5_000,
        ],
    )
    def test_what_could_be_read_two_ways_is_refused(self, body: bytes) -> None:
        with pytest.raises(InvalidJson):
            strict_json(body)

    def test_the_document_is_not_kept_in_the_error(self) -> None:
        with pytest.raises(InvalidJson) as caught:
            strict_json(b'{"card": "4242424242424242"')
        assert caught.value.__context__ is None
        assert "4242" not in repr(caught.value)


class TestCircuitBreaker:
    def breaker(self, time: Time) -> CircuitBreaker:
        return CircuitBreaker(threshold=3, open_seconds=5, now=time)

    def test_opens_after_failures_in_a_row_only(self) -> None:
        breaker = self.breaker(Time())
        for _ in range(2):
            breaker.failed()
        breaker.succeeded()
        for _ in range(2):
            breaker.failed()
        assert breaker.admit() is None
        breaker.failed()
        assert breaker.admit() == 5

    def test_lets_one_probe_through_and_closes_on_its_success(self) -> None:
        time = Time()
        breaker = self.breaker(time)
        for _ in range(3):
            breaker.failed()
        time.now += 5
        assert breaker.admit() is None
        assert breaker.admit() is not None
        breaker.succeeded()
        assert breaker.admit() is None
        assert breaker.admit() is None

    def test_a_failed_probe_opens_it_again(self) -> None:
        time = Time()
        breaker = self.breaker(time)
        for _ in range(3):
            breaker.failed()
        time.now += 5
        assert breaker.admit() is None
        breaker.failed()
        assert breaker.admit() == 5

    def test_an_abandoned_probe_gives_its_place_back(self) -> None:
        time = Time()
        breaker = self.breaker(time)
        for _ in range(3):
            breaker.failed()
        time.now += 5
        assert breaker.admit() is None
        breaker.abandoned()
        assert breaker.admit() is None


class TestRateBound:
    def test_a_seconds_worth_goes_at_once_and_the_rest_at_the_rate(self) -> None:
        time = Time()
        bound = RateBound(4, max_wait=1, now=time)
        assert [bound.reserve() for _ in range(8)] == [
            *[(True, 0)] * 4,
            *[(True, seconds) for seconds in (0.25, 0.5, 0.75, 1)],
        ]
        room, wait = bound.reserve()
        assert not room
        assert wait == pytest.approx(0.25)

    def test_what_was_refused_takes_no_room(self) -> None:
        time = Time()
        bound = RateBound(2, max_wait=0, now=time)
        assert [bound.reserve()[0] for _ in range(50)] == [True, True, *[False] * 48]
        time.now += 0.5
        assert bound.reserve() == (True, 0)
        assert not bound.reserve()[0]

    def test_idle_time_is_saved_up_to_one_second(self) -> None:
        time = Time()
        bound = RateBound(3, max_wait=0, now=time)
        time.now += 3600
        assert [bound.reserve()[0] for _ in range(5)] == [True, True, True, False, False]

    def test_less_than_one_a_second(self) -> None:
        time = Time()
        bound = RateBound(0.1, max_wait=0, now=time)
        assert bound.reserve() == (True, 0)
        assert bound.reserve() == (False, 10)
        time.now += 10
        assert bound.reserve() == (True, 0)


class TestOutboundResponse:
    @pytest.mark.parametrize(
        ("value", "seconds"),
        [("7", 7), ("0", 0), ("99999", 3600), ("-1", None), ("soon", None), ("9" * 30, None), ("٣", None)],
    )
    def test_retry_after(self, value: str, seconds: int | None) -> None:
        assert make_response(**{"Retry-After": value}).retry_after == seconds

    def test_repr_shows_neither_headers_nor_body(self) -> None:
        assert "secret" not in repr(make_response(b"secret", Cookie="secret"))


@pytest.mark.parametrize("url", ["", "api.example.com", "ftp://example.com", "/relative", "http://"])
async def test_base_url_must_be_absolute_http(url: str) -> None:
    with pytest.raises(ValueError, match="peer"):
        OutboundClient("peer", url)


async def test_repr_shows_no_credentials() -> None:
    async with OutboundClient("peer", "http://example.com", headers={"Authorization": "Bearer s3cret"}) as client:
        assert "s3cret" not in repr(client)
