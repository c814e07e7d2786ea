"""What a running suite writes down about itself, so that another terminal can look at it and stop it.

The truth about "is it running" is a lock the running process holds, which the kernel frees however that process ends.
"""

import fcntl
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from stack import processes
from stack.errors import StackError
from stack.processes import Identity


@dataclass(frozen=True, slots=True)
class ComponentState:
    """One process, as its supervisor last saw it. `url` is None for servers, whose addresses hold secrets."""

    name: str
    pid: int | None
    started: float | None
    url: str | None = None
    ready_url: str | None = None
    restarts: int = 0

    @property
    def identity(self) -> Identity | None:
        """The process, as far as there was one."""
        return None if self.pid is None or self.started is None else Identity(self.pid, self.started)


@dataclass(frozen=True, slots=True)
class RunState:
    """A running suite, or what is left of one. `phase` is what `up` is doing, "ready" at the end."""

    supervisor: Identity
    phase: str
    components: Sequence[ComponentState] = ()


class RunFile:
    """`run.json` and its lock, in the data folder."""

    def __init__(self, data: Path) -> None:
        self._file = data / "run.json"
        self._lock_file = data / "run.lock"
        self._lock: IO[str] | None = None

    def acquire(self) -> None:
        """Become the one suite of this data folder; StackError when one runs already."""
        self._lock_file.parent.mkdir(parents=True, exist_ok=True)
        lock = self._lock_file.open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            state = self.read()
            who = f" (process {state.supervisor.pid}, {state.phase})" if state else ""
            raise StackError(
                f"This suite is already running{who}. `make status` shows it, `make down` stops it."
            ) from None
        self._lock = lock

    def release(self) -> None:
        """Say that nothing of the suite runs any more."""
        self._file.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def write(self, state: RunState) -> None:
        """Replace the file whole, so that a reader never sees half of it."""
        fresh = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        fresh.write_text(json.dumps(asdict(state), indent=2))
        fresh.replace(self._file)

    def read(self) -> RunState | None:
        """The last state written; None when there is none, or none that can be understood."""
        try:
            raw: Mapping[str, object] = json.loads(self._file.read_text())
            return _parse(raw)
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def end_leftovers(self) -> Sequence[str]:
        """End what a killed suite left running. Only for the holder of the lock. Returns what had to be ended."""
        state = self.read()
        if state is None:
            return ()
        # Services first, the servers they stand on (which were started first) last.
        left = [
            component.name
            for component in reversed(state.components)
            if component.identity is not None and processes.stop_stranger(component.identity)
        ]
        self._file.unlink(missing_ok=True)
        return left


def _parse(raw: Mapping[str, object]) -> RunState:
    supervisor, components = raw["supervisor"], raw["components"]
    if not isinstance(supervisor, dict) or not isinstance(components, list):
        raise TypeError("not a run file")
    return RunState(
        supervisor=Identity(**supervisor),
        phase=str(raw["phase"]),
        components=tuple(ComponentState(**component) for component in components),
    )
