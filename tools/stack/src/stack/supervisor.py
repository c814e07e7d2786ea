"""Keeps processes running: starts them, restarts what ends by itself, stops everything in order.

Services are built to crash rather than to limp (a stuck broker connection ends the process), so something has to start
them again. The delay before a restart doubles while a process keeps ending, and is forgotten once it has stayed up.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stack import processes
from stack.errors import StackError
from stack.processes import Identity
from stack.rollout import Rollout

_BACKLOG = 2048
_STABLE_SECONDS = 30.0
_LONGEST_DELAY = 30.0
_LARGEST_LOG = 50 * 1024 * 1024


@dataclass(slots=True)
class Component:
    """One supervised process.

    Args:
        argv: its command.
        ready_url: answers 200 when it can do its work; None when nothing can be asked.
        listens: host and port that are opened here and handed to the process, so that the next one can take over; None
            when it opens its own.
    """

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    log: Path
    ready_url: str | None = None
    listens: tuple[str, int] | None = None
    restarts: int = 0
    wanted: bool = False
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    started_at: float = 0.0
    restart_at: float | None = None
    delay: float = 0.0
    rollout: Rollout | None = field(default=None, repr=False)
    listener: socket.socket | None = field(default=None, repr=False)

    def running(self) -> bool:
        """Whether its process lives."""
        return self.process is not None and self.process.poll() is None

    def identity(self) -> Identity | None:
        """Its process, when it lives."""
        if self.process is None or not self.running():
            return None
        return Identity.of(self.process.pid)

    def open_listener(self) -> socket.socket | None:
        """The socket to hand to a process; None where it has to try for itself, and to say in its log why it cannot."""
        self.close_listener()
        if self.listens is not None:
            with contextlib.suppress(OSError):
                self.listener = socket.create_server(self.listens, backlog=_BACKLOG)
        return self.listener

    def close_listener(self) -> None:
        """Held here only while a process serves it: with nobody behind it, callers would wait instead of being told."""
        if self.listener is not None:
            self.listener.close()
            self.listener = None


class Supervisor:
    """Components in the order they start; they stop in the reverse order.

    All methods may be called from any thread, but a thread that starts components must live as long as they do.

    Args:
        first_delay: seconds before the first restart.
        changed: called after a process was started or ended.
        notify: gets one line about each unexpected end.
    """

    def __init__(
        self,
        *,
        first_delay: float = 0.5,
        changed: Callable[[], None] = lambda: None,
        notify: Callable[[str], None] = lambda message: None,
    ) -> None:
        self._components: dict[str, Component] = {}
        self._first_delay = first_delay
        self._changed = changed
        self._notify = notify
        self._lock = threading.RLock()

    def __getitem__(self, name: str) -> Component:
        return self._components[name]

    @property
    def components(self) -> Sequence[Component]:
        """In the order they were added."""
        return tuple(self._components.values())

    def add(self, component: Component) -> None:
        """Make a component known, without starting it."""
        with self._lock:
            self._components[component.name] = component

    def start(self, name: str) -> None:
        """Start a component that does not run."""
        with self._lock:
            component = self._components[name]
            component.wanted = True
            if not component.running():
                self._launch(component)

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to a component's whole tree; after an ending signal it stays down until it is started."""
        with self._lock:
            component = self._components[name]
            if component.process is None or not component.running():
                return
            if number in {signal.SIGKILL, signal.SIGTERM, signal.SIGINT}:
                component.wanted = False
                _leave_alone(component)
            processes.signal_tree(component.process.pid, number)
            if number == signal.SIGKILL:
                component.process.wait()

    def stop(self, name: str, *, grace: float = 15.0) -> None:
        """End a component, and wait until it has ended."""
        with self._lock:
            component = self._components[name]
            component.wanted = False
            component.restart_at = None
            _leave_alone(component)
            if component.process is not None:
                processes.stop(component.process, grace=grace)
                self._changed()

    def roll_out(self, name: str, *, timeout: float = 60.0) -> Rollout:
        """Begin to replace a running component's process by a new one; `tend` takes it further.

        Args:
            timeout: seconds until the new process must be ready.
        """
        with self._lock:
            component = self._components[name]
            if component.process is None or not component.running():
                raise StackError(f"{name} is not running")
            if component.listener is None:
                raise StackError(f"{name} does not serve a socket that another process could take over")
            if component.rollout is not None:
                raise StackError(f"{name} is being rolled out already")

            def start(address: str) -> subprocess.Popen[bytes]:
                return self._spawn(component, {"NOTIFY_SOCKET": address})

            component.rollout = Rollout(component.process, start, timeout=timeout)
            return component.rollout

    def stop_all(self, *, grace: float = 15.0) -> None:
        """End every component in time bounded by `grace`, the last one added first."""
        with self._lock:
            ending = [component for component in reversed(self.components) if component.process is not None]
            deadline = time.monotonic() + grace
            for component in ending:
                component.wanted = False
                component.restart_at = None
                _leave_alone(component)
                if component.process is not None and component.running():
                    processes.signal_tree(component.process.pid, signal.SIGCONT)
                    # Not SIGTERM: when everything ends, there is nowhere to send the callers to.
                    component.process.send_signal(signal.SIGINT)
            for component in ending:
                if component.process is not None:
                    processes.stop(component.process, grace=max(0.1, deadline - time.monotonic()))
            self._changed()

    def tend(self) -> None:
        """Look after every component once: call this a few times a second."""
        with self._lock:
            for component in self._components.values():
                self._tend(component)

    def tend_until(self, end: threading.Event, *, interval: float = 0.2) -> None:
        """Look after the components until `end` is set."""
        while not end.wait(interval):
            self.tend()

    def _tend(self, component: Component) -> None:
        _bound_log(component.log)
        if component.rollout is not None:
            self._take_further(component, component.rollout)
            return
        if component.running() or component.process is None:
            return
        component.close_listener()
        now = time.monotonic()
        if component.wanted and component.restart_at is None:
            stable = now - component.started_at > _STABLE_SECONDS
            component.delay = self._first_delay if stable or not component.delay else component.delay * 2
            component.delay = min(component.delay, _LONGEST_DELAY)
            component.restart_at = now + component.delay
            code = component.process.returncode
            self._notify(f"{component.name} ended ({_reason(code)}); starting it again in {component.delay:.1f} s")
            self._changed()
        elif component.wanted and component.restart_at is not None and now >= component.restart_at:
            component.restarts += 1
            self._launch(component)

    def _take_further(self, component: Component, rollout: Rollout) -> None:
        rollout.advance()
        if component.process is not rollout.process:
            component.process, component.started_at = rollout.process, time.monotonic()
            self._changed()
        if rollout.done:
            component.rollout = None

    def _launch(self, component: Component) -> None:
        component.restart_at = None
        component.started_at = time.monotonic()
        component.open_listener()
        component.process = self._spawn(component)
        self._changed()

    def _spawn(self, component: Component, added: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        return processes.spawn(
            component.argv,
            environment={**component.environment, **(added or {})},
            log=component.log,
            long_lived_thread=True,
            listener=component.listener,
        )


def _leave_alone(component: Component) -> None:
    """Before it is ended: no other process of it, and nobody waiting at a socket behind which there is no one."""
    if component.rollout is not None:
        component.rollout.abandon()
        component.rollout = None
    component.close_listener()


def _reason(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _bound_log(log: Path) -> None:
    """Keep one earlier part of a log that grows too large. The process appends, so it goes on at the new beginning."""
    try:
        if log.stat().st_size < _LARGEST_LOG:
            return
        shutil.copyfile(log, log.with_suffix(".log.1"))
        os.truncate(log, 0)
    except OSError:
        return
