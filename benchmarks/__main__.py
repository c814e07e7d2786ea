"""Start the suite on durable servers, measure it, print the table.

--quick: two seconds each, and without what is slow. --only: some groups, with commas between; --list names them.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from stack.infra import locate
from stack.ports import PortPicker
from stack.suite import Suite

from benchmarks import registry
from benchmarks.bench import Bench, Group, GroupAlone
from benchmarks.table import Table

# The limits stay switched on, so that their cost is measured, and high, so that they do not cut the measurement off.
_UNLIMITED = "9000000/60:9000000"
_ENVIRONMENT = {
    "LOG_LEVEL": "WARNING",
    "CONEKTA_CALLS_PER_SECOND": "100000",
    **{f"GATEWAY_LIMIT_{name}": _UNLIMITED for name in ("PUBLIC", "LOGIN", "WEBHOOKS", "API", "BUSINESS")},
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="shortly, to see that it works")
    parser.add_argument("--only", metavar="NAME,…", help="these groups alone")
    parser.add_argument("--list", action="store_true", help="name the groups, and measure nothing")
    options = parser.parse_args()
    groups = registry.groups()
    if options.list:
        for group in groups:
            print(f"{group.name:<14} {'slow' if group.slow else ''}".rstrip())
        return
    try:
        chosen = registry.chosen(groups, only=options.only, quick=options.quick)
    except registry.UnknownGroup as error:
        parser.error(str(error))
    table = Table()
    measure(chosen, table, seconds=2 if options.quick else 10)
    print()
    print(table.render())


def measure(groups: Sequence[Group | GroupAlone], table: Table, *, seconds: int) -> None:
    with contextlib.ExitStack() as stack:
        suite = None
        if any(isinstance(group, Group) for group in groups):
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cobro-bench-")))
            scratch.chmod(0o755)  # PostgreSQL runs as another user
            psp = stack.enter_context(_instant_psp())
            suite = (stack.enter_context(_suite(scratch, psp)), psp, scratch)
        asyncio.run(_measure(groups, table, suite, seconds))


async def _measure(
    groups: Sequence[Group | GroupAlone], table: Table, suite: tuple[Suite, str, Path] | None, seconds: int
) -> None:
    bench = None if suite is None else await Bench.open(*suite, table, seconds=seconds)
    for group in groups:
        print(f"{group.name}:", flush=True)
        began = time.monotonic()
        if isinstance(group, GroupAlone):
            await group.measure(table)
        else:
            assert bench is not None
            await bench.shop.log_in()
            await group.measure(bench)
            bench.settle()
        print(f"    {time.monotonic() - began:.0f} s", flush=True)


@contextlib.contextmanager
def _instant_psp() -> Iterator[str]:
    port = PortPicker().pick()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.instant_psp", str(port)])
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def _suite(scratch: Path, psp: str) -> Iterator[Suite]:
    infrastructure = locate(directory=scratch / "servers", notify=print)
    environment = {**_ENVIRONMENT, "CONEKTA_API_URL": psp}
    with Suite(infrastructure=infrastructure, environment=environment, notify=print) as suite:
        yield suite


if __name__ == "__main__":
    main()
