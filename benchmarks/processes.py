"""How much processor time each process of the suite took: unlike a rate it says where, and a busy machine distorts it
little."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator

import psutil
from stack.services import SERVICES
from stack.suite import Suite


class Taken:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def per(self, requests: int) -> str:
        """Microseconds for each request, the greediest first."""
        each = sorted(
            ((name, 1e6 * spent / max(requests, 1)) for name, spent in self.seconds.items()), key=lambda of: -of[1]
        )
        return ", ".join(f"{name} {spent:,.0f}" for name, spent in each if spent >= 1)


class ProcessorTime:
    def __init__(self, suite: Suite) -> None:
        self._suite = suite

    @contextlib.contextmanager
    def taken(self) -> Iterator[Taken]:
        """By service, and for the servers, twins and load tools by the name of the program."""
        took = Taken()
        before = self._times()
        yield took
        for key, seconds in self._times().items():
            took.seconds[key[1]] += seconds - before.get(key, 0.0)

    def _times(self) -> dict[tuple[int, str], float]:
        services = {self._suite.pid(service.name): service.name for service in SERVICES if service.installed()}
        found = {}
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                name = services.get(process.pid) or process.name()
                found[process.pid, name] = times.user + times.system
        return found
