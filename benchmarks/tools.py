"""The open tools that do the measuring: wrk and pgbench, found or installed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
CONNECTIONS = 16
THREADS = 2


class ToolMissing(Exception):
    """A measuring tool is neither here nor can be installed."""


def require(name: str, package: str) -> str:
    """The path of a tool, which apt installs where it is missing and that is allowed."""
    if found := shutil.which(name) or _of_postgresql(name):
        return found
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
    if os.geteuid() != 0:
        command = ["sudo", "-n", *command]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode != 0 or not (found := shutil.which(name) or _of_postgresql(name)):
        raise ToolMissing(f"{name} is missing: install the package {package}")
    return found


def _of_postgresql(name: str) -> str | None:
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: -int(path.parts[-3]))
    return str(versions[0]) if versions else None


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw: requests per second, latency percentiles in milliseconds, and answers by status."""

    rate: float
    p50: float
    p99: float
    requests: int
    errors: int

    def note(self) -> str:
        """To be printed behind the figures."""
        return f", {self.errors} errors" if self.errors else ""


def wrk(
    url: str,
    *,
    seconds: float,
    script: str | None = None,
    headers: dict[str, str] | None = None,
    arguments: list[str] | None = None,
    connections: int = CONNECTIONS,
) -> Load:
    """Run wrk, with one of our scripts, against an address on this machine."""
    threads = min(THREADS, connections)
    command = [
        require("wrk", "wrk"),
        f"-t{threads}",
        f"-c{connections}",
        f"-d{max(int(seconds), 1)}s",
        "--timeout",
        "10s",
    ]
    for name, value in (headers or {}).items():
        command += ["-H", f"{name}: {value}"]
    command += ["-s", str(HERE / "wrk" / (script or "get.lua")), url, "--", *(arguments or [])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout.rsplit("JSON ", 1)[1])
    return Load(
        rate=report["requests"] / (report["duration_us"] / 1e6),
        p50=report["p50_us"] / 1000,
        p99=report["p99_us"] / 1000,
        requests=report["requests"],
        errors=report["errors"],
    )


def pgbench(database_url: str, script: str, *, seconds: int, variables: dict[str, str] | None = None) -> float:
    """Transactions per second of one of our scripts, prepared, with as many connections as the load has."""
    parts = urllib.parse.urlsplit(database_url)
    options = dict(urllib.parse.parse_qsl(parts.query)).get("options", "")
    environment = {**os.environ, "PGPASSWORD": urllib.parse.unquote(parts.password or ""), "PGOPTIONS": options}
    command = [
        *(require("pgbench", "postgresql-contrib"), "-n", "-M", "prepared"),
        *("-c", str(CONNECTIONS), "-j", str(THREADS), "-T", str(seconds), "-f", str(HERE / "pgbench" / script)),
        *("-h", parts.hostname or "", "-p", str(parts.port), "-U", urllib.parse.unquote(parts.username or "")),
    ]
    for name, value in (variables or {}).items():
        command += ["-D", f"{name}={value}"]
    with tempfile.TemporaryDirectory() as scratch:
        command.append(parts.path.lstrip("/"))
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment, cwd=scratch)
    rate = re.search(r"tps = ([0-9.]+)", done.stdout)
    assert rate is not None, done.stdout
    return float(rate.group(1))
