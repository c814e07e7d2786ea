"""Every provider through everything that may become of a payment."""

from __future__ import annotations

import pytest

from e2e.countries.market import METHODS, PROVIDERS, Plays
from e2e.countries.scenarios import SCENARIOS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.mark.parametrize(("country", "method"), METHODS)
async def test_it_is_paid_by_every_method(plays: Plays, country: str, method: str) -> None:
    await plays[country, method]


@pytest.mark.parametrize("country", PROVIDERS)
@pytest.mark.parametrize("scenario", [scenario.__name__ for scenario in SCENARIOS])
async def test_it_ends_in_the_providers_truth(plays: Plays, scenario: str, country: str) -> None:
    await plays[country, scenario]


@pytest.mark.parametrize(("country", "play"), [("CO", "bank transfer"), ("CL", "own account")])
async def test_what_one_country_has_of_its_own(plays: Plays, country: str, play: str) -> None:
    await plays[country, play]
