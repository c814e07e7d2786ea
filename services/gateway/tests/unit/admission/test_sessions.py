from __future__ import annotations

import asyncio

import pytest
from gateway.admission.sessions import BELIEVED_FOR, FRESH_FOR, Sessions
from kernel import Unavailable


class Auth:
    def __init__(self) -> None:
        self.active_sessions = {"s"}
        self.down = False
        self.asked = 0

    async def active(self, session_id: str) -> bool:
        self.asked += 1
        await asyncio.sleep(0)
        if self.down:
            raise Unavailable("down")
        return session_id in self.active_sessions


class Now:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


async def test_requests_waiting_for_the_same_session_ask_once() -> None:
    auth = Auth()
    sessions = Sessions(auth)
    assert await asyncio.gather(*(sessions.ask("s") for _ in range(20))) == [True] * 20
    assert auth.asked == 1


async def test_an_answer_serves_for_a_moment_then_auth_is_asked_again() -> None:
    auth, now = Auth(), Now()
    sessions = Sessions(auth, now)
    assert await sessions.without_store("s")
    now.seconds += FRESH_FOR
    assert await sessions.without_store("s")
    assert auth.asked == 1
    now.seconds += 1
    auth.active_sessions.clear()
    assert not await sessions.without_store("s")
    assert not await sessions.without_store("s")
    assert auth.asked == 3


async def test_with_auth_down_too_only_a_session_seen_within_the_minute_passes() -> None:
    auth, now = Auth(), Now()
    sessions = Sessions(auth, now)
    sessions.confirmed("s")
    auth.down = True
    now.seconds += BELIEVED_FOR
    assert await sessions.without_store("s")
    now.seconds += 1
    with pytest.raises(Unavailable):
        await sessions.without_store("s")
    with pytest.raises(Unavailable):
        await sessions.without_store("never seen")


async def test_a_revoked_session_is_not_believed() -> None:
    auth = Auth()
    sessions = Sessions(auth)
    sessions.confirmed("s")
    sessions.revoked("s")
    auth.down = True
    with pytest.raises(Unavailable):
        await sessions.without_store("s")


async def test_a_caller_that_gives_up_does_not_take_the_others_answer_along() -> None:
    sessions = Sessions(Auth())
    first = asyncio.create_task(sessions.ask("s"))
    second = asyncio.create_task(sessions.ask("s"))
    await asyncio.sleep(0)
    first.cancel()
    assert await second
