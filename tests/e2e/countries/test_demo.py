"""`make demo COUNTRY=…` plays the whole story in every country, by that country's provider."""

from __future__ import annotations

import pytest

from e2e.countries.market import PROVIDERS, Plays

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.mark.parametrize("country", PROVIDERS)
async def test_the_story_is_played_to_its_end(plays: Plays, country: str) -> None:
    code, output = await plays[country, "story"]
    assert code == 0, output
    assert f": {PROVIDERS[country]} " in output
    assert "the payment is REFUNDED" in output
