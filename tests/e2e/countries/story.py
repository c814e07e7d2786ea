"""The whole story, as whoever runs `make demo` sees it."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, STDOUT

from e2e.stage import Stage


async def tell(stage: Stage, country: str) -> tuple[int | None, str]:
    """The exit code of `python -m stack demo`, and what it printed."""
    urls = ("--gateway", stage.suite.gateway_url, "--twins", stage.suite.twins_url)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stack", "demo", *urls, "--country", country), stdout=PIPE, stderr=STDOUT
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, output.decode()
