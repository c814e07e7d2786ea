"""Plays the matrix: everybody sends the same request, and is told what the rule says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from e2e.client import Answer, Client

from .cast import Cast
from .requests import Request, request_of
from .rows import Row
from .rules import CODES, EXPECTED, OK, Persona

Door = Callable[[Row], Client]
"""Where an operation is called: at the gateway, or at its service's own port."""

_ROWS_AT_ONCE = 8


async def play(rows: Sequence[Row], cast: Cast, door: Door) -> dict[str, list[str]]:
    """What went otherwise than the rules say, by the row's name."""
    turn = asyncio.Semaphore(_ROWS_AT_ONCE)

    async def one(row: Row) -> list[str]:
        async with turn:
            try:
                return await _Scene(row, cast, door(row)).play()
            except AssertionError as error:
                return [f"{row.name}: the request could not be made: {error}"]

    found = await asyncio.gather(*(one(row) for row in rows))
    return dict(zip((row.name for row in rows), found, strict=True))


class _Scene:
    """One row."""

    def __init__(self, row: Row, cast: Cast, at: Client) -> None:
        self._row = row
        self._cast = cast
        self._at = at
        self._expected = {persona: EXPECTED[row.rule][persona] for persona in cast.tokens}
        self._failures: list[str] = []

    async def play(self) -> list[str]:
        refused = [persona for persona, status in self._expected.items() if status != OK]
        let_in = [persona for persona, status in self._expected.items() if status == OK]
        cast, request = await self._set()
        await asyncio.gather(*(self._send(persona, cast, request) for persona in refused))
        for number, persona in enumerate(let_in):
            # The first of them sends the very request that the others were refused.
            if number:
                cast, request = await self._set()
            if self._row.ends:
                cast = await cast.with_a_double(persona)
            await self._send(persona, cast, request)
        return self._failures

    async def _set(self) -> tuple[Cast, Request]:
        cast = await self._cast.with_home_of_its_own() if self._row.apart else self._cast
        spent = {name: await make(cast.home) for name, make in self._row.spends.items()}
        return cast, await request_of(self._row, cast.home, spent)

    async def _send(self, persona: Persona, cast: Cast, request: Request) -> None:
        answer = await request.sent_by(cast.caller(persona, self._at))
        if complaint := self._complaint(persona, cast, answer):
            told = answer.content[:300].decode(errors="replace")
            self._failures.append(f"{self._row.name} {persona}: {complaint}, but {answer.status} {told}")

    def _complaint(self, persona: Persona, cast: Cast, answer: Answer) -> str | None:
        expected = self._expected[persona]
        if expected == OK:
            return None if answer.status < 300 else f"should succeed as {self._row.rule!s} may"
        if answer.status != expected:
            return f"should be told {expected}"
        if persona in CODES and answer.error(expected) not in CODES[persona]:
            return f"should be told {' or '.join(CODES[persona])}"
        if cast.home.marker.encode() in answer.content:
            return "should be told nothing of whose it is"
        return None
