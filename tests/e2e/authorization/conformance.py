"""Runs schemathesis against the gateway, in a process of its own: it knows nothing of our event loop or warnings."""

from __future__ import annotations

import asyncio
import re
import secrets
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from e2e.merchant import Json

SEED = 20_261_122
_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
_SECONDS = 240.0


@dataclass(frozen=True, slots=True)
class Found:
    """cases: requests that were sent. failures: what schemathesis has to say of them, empty when all was well."""

    cases: int
    failures: str


async def run(
    url: str,
    document: Json,
    folder: Path,
    *,
    headers: Mapping[str, str],
    ids: Mapping[str, str],
    only: str = "",
    without: str = "",
    limits: bool = False,
    examples: int,
) -> Found:
    """One request after the other: its threads and CPython 3.11's compiler do not get along.

    Args:
        url: of the gateway.
        document: its own.
        folder: for files.
        ids: things that exist, by the name that paths have for them; every other request names one.
        only: a regular expression of the operations' names, such as `POST /api/v1/sales`; without: likewise.
        limits: whether to try all that lies at the limits of the schemas, and just beyond.
        examples: made up for each operation.
    """
    name = secrets.token_hex(4)
    configuration, schema = folder / f"{name}.toml", folder / f"{name}.json"
    await asyncio.to_thread(configuration.write_text, _configuration(ids))
    await asyncio.to_thread(schema.write_bytes, orjson.dumps(document))
    phases = ("examples", "coverage", "fuzzing") if limits else ("fuzzing",)
    chosen = (("--include-name-regex", only), ("--exclude-name-regex", without))
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(configuration), "run"),
        *(str(schema), "--url", url),
        *("--checks", ",".join(_CHECKS), "--phases", ",".join(phases)),
        *("--max-examples", str(examples), "--seed", str(SEED), "--workers", "1"),
        *("--continue-on-failure", "--no-shrink", "--no-color", "--warnings", "off"),
        *("--generation-database", "none", "--suppress-health-check", "all"),
        *(part for option, pattern in chosen if pattern for part in (option, pattern)),
        *(part for name, value in headers.items() for part in ("--header", f"{name}: {value}")),
        cwd=folder,
        stdout=PIPE,
        stderr=STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _SECONDS)
    except TimeoutError:
        process.kill()
        raise
    told = output.decode(errors="replace")
    generated = re.search(r"(\d+) generated", told)
    return Found(int(generated[1]) if generated else 0, "" if process.returncode == 0 else told)


def _configuration(ids: Mapping[str, str]) -> str:
    lines = [f"[dictionaries.{name}]\nvalues = {_toml([value])}\n" for name, value in ids.items()]
    # Methods that are not documented have a test of their own.
    lines.append("[phases.coverage]\nunexpected-methods = []\n")
    lines.append("[parameters]")
    lines += [f'"path.{name}" = {{ dictionary = "{name}", probability = 0.5 }}' for name in ids]
    return "\n".join(lines) + "\n"


def _toml(values: Sequence[str]) -> str:
    return orjson.dumps(values).decode()
