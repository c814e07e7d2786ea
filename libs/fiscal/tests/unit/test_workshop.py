from __future__ import annotations

import asyncio
import os

import pytest
from fiscal.errors import AuthorityUnavailable, BadProfile, Message, Rejected, WorkshopFailed
from fiscal.workshop import Workshop
from kernel import FieldError


async def gone(pid: int) -> None:
    async with asyncio.timeout(10):
        while os.path.exists(f"/proc/{pid}"):  # noqa: ASYNC110, ASYNC240 - nobody tells when another process ends
            await asyncio.sleep(0.02)


async def test_work_is_done_in_a_process_that_is_given_back() -> None:
    workshop = Workshop(idle_seconds=0.05)
    try:
        first, second = await asyncio.gather(workshop.run("os:getpid"), workshop.run("os:getpid"))
        assert first == second != os.getpid()
        await gone(first)
        assert workshop.pid is None
        assert await workshop.run("math:gcd", 12, 18) == 6
    finally:
        await workshop.close()
    assert workshop.pid is None


async def test_a_failure_is_told_without_a_word_of_the_work() -> None:
    workshop = Workshop()
    try:
        with pytest.raises(WorkshopFailed, match=r"^ValueError$"):
            await workshop.run("builtins:int", "secret")
        with pytest.raises(WorkshopFailed):
            await workshop.run("os:_exit", 3)
        assert await workshop.run("builtins:int", "7") == 7
    finally:
        await workshop.close()


async def test_who_gives_up_leaves_no_answer_for_the_next() -> None:
    workshop = Workshop(timeout_seconds=0.5)
    try:
        with pytest.raises(WorkshopFailed, match="TimeoutError"):
            await workshop.run("time:sleep", 60)
    finally:
        await workshop.close()


@pytest.mark.parametrize(
    "error",
    [Rejected([Message("E1", "no")]), BadProfile([FieldError("taxId", "bad")]), AuthorityUnavailable("down")],
    ids=lambda error: type(error).__name__,
)
def test_errors_cross_the_process_boundary_whole(error: Exception) -> None:
    import pickle

    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), vars(copy)) == (type(error), vars(error))
