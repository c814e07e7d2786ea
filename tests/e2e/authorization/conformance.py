"""Runs schemathesis against the gateway, in a process of its own: it knows nothing of our event loop or warnings."""

from __future__ import annotations

import asyncio
import re
import secrets
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Mapping
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
# Bodies that are made up have a test of their own (journeys/test_hostile_input.py), at a fraction of the cost.
_PHASES = ("examples", "coverage")
_SECONDS = 360.0


@dataclass(frozen=True, slots=True)
class Found:
    """cases: requests that were sent. failures: what schemathesis has to say of them, empty when all was well."""

    cases: int
    failures: str


async def run(
    url: str, document: Json, folder: Path, *, token: str, others: Mapping[str, str], ids: Mapping[str, str]
) -> Found:
    """All that lies at the limits of the schemas and just beyond, for every operation.

    One request after the other: its threads and CPython 3.11's compiler do not get along.

    Args:
        url: of the gateway.
        document: its own, or a part of it.
        folder: for files.
        token: of the caller; others: of other callers, by operations' names such as `POST /api/v1/sales`.
        ids: things that exist, by the name that paths have for them; every other request names one.
    """
    name = secrets.token_hex(4)
    configuration, schema = folder / f"{name}.toml", folder / f"{name}.json"
    await asyncio.to_thread(configuration.write_text, _configuration(token, others, ids))
    await asyncio.to_thread(schema.write_bytes, orjson.dumps(document))
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(configuration)),
        *("run", str(schema), "--url", url),
        *("--checks", ",".join(_CHECKS), "--phases", ",".join(_PHASES)),
        *("--seed", str(SEED), "--workers", "1"),
        *("--continue-on-failure", "--no-shrink", "--no-color", "--warnings", "off"),
        *("--generation-database", "none", "--suppress-health-check", "all"),
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


def _configuration(token: str, others: Mapping[str, str], ids: Mapping[str, str]) -> str:
    parts = [
        f"headers = {_bearer(token)}",
        # Methods that are not documented have a test of their own. No ids out of earlier answers: an administrator
        # would delete the other callers.
        "[phases.coverage]\nunexpected-methods = []\nextra-data-sources = { responses = false }",
        "[phases.examples]\nextra-data-sources = { responses = false }",
        *(f"[dictionaries.{name}]\nvalues = [{_toml(value)}]" for name, value in ids.items()),
        "[parameters]",
        *(f'"path.{name}" = {{ dictionary = "{name}", probability = 0.5 }}' for name in ids),
        *(
            f"[[operations]]\ninclude-name = {_toml(operation)}\nheaders = {_bearer(other)}"
            for operation, other in others.items()
        ),
    ]
    return "\n".join(parts) + "\n"


def _bearer(token: str) -> str:
    return f"{{ Authorization = {_toml(f'Bearer {token}')} }}"


def _toml(text: str) -> str:
    return orjson.dumps(text).decode()
