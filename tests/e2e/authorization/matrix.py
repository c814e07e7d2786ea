"""Plays the matrix: everybody sends the same request, and is told what the rule says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from e2e.client import Answer, Client
from e2e.operations import Operation
from e2e.polling import until

from .cast import Cast
from .requests import Request, request_of
from .rows import Row
from .rules import CODES, EXPECTED, OK, Persona

Door = Callable[[Row], Client]
"""Where an operation is called: at the gateway, or at its service's own port."""

_ROWS_AT_ONCE = 8
# More would find no free connection to a database of a machine that is busy.
_REQUESTS_AT_ONCE = 16


async def play(
    rows: Sequence[Row], cast: Cast, door: Door, operations: Mapping[str, Operation]
) -> dict[str, list[str]]:
    """What went otherwise than the rules or the API's document say, by the row's name."""
    turn, line = asyncio.Semaphore(_ROWS_AT_ONCE), asyncio.Semaphore(_REQUESTS_AT_ONCE)

    async def one(row: Row) -> list[str]:
        async with turn:
            try:
                return await _Scene(row, cast, door(row), operations[row.operation].statuses, line).play()
            except AssertionError as error:
                return [f"{row.name}: the request could not be made: {error}"]

    found = await asyncio.gather(*(one(row) for row in rows))
    return dict(zip((row.name for row in rows), found, strict=True))


class _Scene:
    """One row."""

    def __init__(self, row: Row, cast: Cast, at: Client, documented: frozenset[int], line: asyncio.Semaphore) -> None:
        self._row = row
        self._line = line
        self._documented = documented
        self._cast = cast
        self._at = at
        self._expected = {persona: EXPECTED[row.rule][persona] for persona in cast.tokens}
        self._failures: list[str] = []

    async def play(self) -> list[str]:
        refused = [persona for persona, status in self._expected.items() if status != OK]
        first, *others = [persona for persona, status in self._expected.items() if status == OK]
        cast, request = await self._set(first)
        await asyncio.gather(*(self._send(persona, cast, request) for persona in refused))
        # The very request that the others were refused.
        await self._send(first, cast, request)
        await asyncio.gather(*(self._let_in(persona) for persona in others))
        return self._failures

    async def _let_in(self, persona: Persona) -> None:
        cast, request = await self._set(persona)
        await self._send(persona, cast, request)

    async def _set(self, persona: Persona) -> tuple[Cast, Request]:
        """Everything for a request that this one may send."""
        row, cast, double = self._row, self._cast, None
        if row.apart:
            cast = await cast.with_home_of_its_own()
        if row.alone:
            double = await cast.double(persona)
            cast = cast.with_double(persona, double)
        spent = {name: await make(cast.home) for name, make in row.spends.items()}
        return cast, await request_of(row, cast.home, spent=spent, caller=double)

    async def _send(self, persona: Persona, cast: Cast, request: Request) -> None:
        caller = cast.caller(persona, self._at)
        async with self._line:
            answer = await request.sent_by(caller)
        if answer.status == 429 and self._expected[persona] == OK:
            # Many are let in at once here, and told to come again.
            answer = await until(lambda: request.sent_by(caller), lambda found: found.status != 429)
        if complaint := self._complaint(persona, cast, answer):
            told = answer.content[:300].decode(errors="replace")
            self._failures.append(f"{self._row.name} {persona}: {complaint}, but {answer.status} {told}")

    def _is_stopped(self, answer: Answer) -> bool:
        return bool(self._row.stopped_by) and answer.error(answer.status) in self._row.stopped_by

    def _complaint(self, persona: Persona, cast: Cast, answer: Answer) -> str | None:
        expected = self._expected[persona]
        if answer.status not in self._documented:
            return f"should be told {sorted(self._documented)}"
        if expected == OK:
            if answer.status < 400 or self._is_stopped(answer):
                return None
            return f"should succeed, as {self._row.rule!s} may"
        if answer.status != expected:
            return f"should be told {expected}"
        if persona in CODES and answer.error(expected) not in CODES[persona]:
            return f"should be told {' or '.join(CODES[persona])}"
        if cast.home.marker.encode() in answer.content:
            return "should be told nothing of whose it is"
        return None
