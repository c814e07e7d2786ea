from __future__ import annotations

import asyncio

import pytest
from gateway.admission.sessions import BELIEVED_FOR, ENDED, FRESH_FOR, Session, Sessions
from kernel import Unavailable

ACTIVE = Session(active=True)


class Auth:
    def __init__(self) -> None:
        self.active_sessions = {"s"}
        self.down = False
        self.asked = 0

    async def session(self, session_id: str) -> Session:
        self.asked += 1
        await asyncio.sleep(0)
        if self.down:
            raise Unavailable("down")
        return ACTIVE if session_id in self.active_sessions else ENDED


class Now:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


async def test_requests_waiting_for_the_same_session_ask_once() -> None:
    auth = Auth()
    sessions = Sessions(auth)
    assert await asyncio.gather(*(sessions.ask("s") for _ in range(20))) == [ACTIVE] * 20
    assert auth.asked == 1


async def test_an_answer_serves_for_a_moment_then_auth_is_asked_again() -> None:
    auth, now = Auth(), Now()
    sessions = Sessions(auth, now)
    assert await sessions.without_store("s") == ACTIVE
    now.seconds += FRESH_FOR
    assert await sessions.without_store("s") == ACTIVE
    assert auth.asked == 1
    now.seconds += 1
    auth.active_sessions.clear()
    assert await sessions.without_store("s") == ENDED
    assert await sessions.without_store("s") == ENDED
    assert auth.asked == 3


async def test_with_auth_down_too_only_a_session_seen_within_the_minute_passes() -> None:
    auth, now = Auth(), Now()
    sessions = Sessions(auth, now)
    sessions.learnt("s", ACTIVE)
    auth.down = True
    now.seconds += BELIEVED_FOR
    assert await sessions.without_store("s") == ACTIVE
    now.seconds += 1
    with pytest.raises(Unavailable):
        await sessions.without_store("s")
    with pytest.raises(Unavailable):
        await sessions.without_store("never seen")


async def test_a_revoked_session_is_not_believed() -> None:
    auth = Auth()
    sessions = Sessions(auth)
    sessions.learnt("s", ACTIVE)
    sessions.learnt("s", ENDED)
    auth.down = True
    with pytest.raises(Unavailable):
        await sessions.without_store("s")


async def test_a_caller_that_gives_up_does_not_take_the_others_answer_along() -> None:
    sessions = Sessions(Auth())
    first = asyncio.create_task(sessions.ask("s"))
    second = asyncio.create_task(sessions.ask("s"))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == ACTIVE


@pytest.mark.parametrize(
    ("text", "session"),
    [
        (b"1", ACTIVE),
        (b"0", ENDED),
        (b"1700000000500000", Session(active=True, valid_from=1_700_000_000_500_000)),
        (None, None),
        (b"", None),
        (b"-1", None),
        (b"yes", None),
    ],
)
def test_the_state_in_redis(text: bytes | None, session: Session | None) -> None:
    assert Session.parse(text) == session
    if session is not None:
        assert session.text().encode() == text


def test_a_token_issued_up_to_the_change_is_outdated() -> None:
    session = Session(active=True, valid_from=1_700_000_000_500_000)
    assert session.outdates(1_699_999_999)
    assert session.outdates(1_700_000_000)
    assert not session.outdates(1_700_000_001)
    assert not ACTIVE.outdates(0)
