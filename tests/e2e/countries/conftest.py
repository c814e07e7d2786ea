"""All that is played in this folder is played at the same time: most of it is waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from e2e.countries.accounts import own_account
from e2e.countries.bank_transfer import bank_transfer
from e2e.countries.market import METHODS, PROVIDERS, Plays, open_market
from e2e.countries.scenarios import AWAITED, SCENARIOS, paid
from e2e.countries.story import tell
from e2e.stage import Stage

# What does not wait takes turns, or webhooks would come no sooner than the readings by schedule.
_AT_A_TIME = 6


@pytest.fixture(scope="package")
async def plays(stage: Stage) -> AsyncIterator[Plays]:
    """Begun in this order, and awaited by whichever test is about it."""
    turns = asyncio.Semaphore(_AT_A_TIME)

    async def in_turn(play: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        async with turns:
            return await play(*arguments)

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=40)) as browser:
        opened = await asyncio.gather(*(open_market(stage, country, browser) for country in PROVIDERS))
        markets = dict(zip(PROVIDERS, opened, strict=True))
        begun: dict[tuple[str, str], asyncio.Future[Any]] = {
            (country, scenario.__name__): asyncio.ensure_future(
                scenario(market) if scenario in AWAITED else in_turn(scenario, market)
            )
            for scenario in SCENARIOS
            for country, market in markets.items()
        }
        for country, method in METHODS:
            begun[country, method] = asyncio.ensure_future(in_turn(paid, markets[country], method))
        begun["CO", "bank transfer"] = asyncio.ensure_future(in_turn(bank_transfer, markets["CO"]))
        begun["CL", "own account"] = asyncio.ensure_future(in_turn(own_account, stage, browser))
        for country in PROVIDERS:
            begun[country, "story"] = asyncio.ensure_future(in_turn(tell, stage, country))
        yield begun
        for play in begun.values():
            play.cancel()
        await asyncio.gather(*begun.values(), return_exceptions=True)
