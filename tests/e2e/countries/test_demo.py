"""`python -m stack demo` plays the whole story in every country, by that country's provider."""

from __future__ import annotations

import asyncio
import sys

import pytest

from e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    ("country", "provider"), [("MX", "conekta"), ("CO", "payu"), ("AR", "mercadopago"), ("CL", "khipu")]
)
async def test_the_story_is_played_to_its_end(stage: Stage, country: str, provider: str) -> None:
    suite = stage.suite
    command = ("-m", "stack", "demo", "--gateway", suite.gateway_url, "--twins", suite.twins_url, "--country", country)
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output = (await process.communicate())[0].decode()
    assert process.returncode == 0, output
    assert f": {provider} " in output
    assert "the payment is REFUNDED" in output
