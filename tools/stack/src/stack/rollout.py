"""A rolling restart: the next process of a component starts beside the present one and on the same listening socket,
says itself that it is ready, and only then the present one is told to end. At no moment does nobody answer.
"""

import contextlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from stack import processes

# What a process may take to end: its drain, and the grace of its parts after that.
_ENDING_SECONDS = 90.0


class Readiness:
    """Where a process says that it is ready: sd_notify(3)."""

    def __init__(self) -> None:
        # Short, because the path of such a socket may have 107 bytes.
        self._folder = Path(tempfile.mkdtemp(prefix="cobro-"))
        self.address = str(self._folder / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(self.address)

    def said(self) -> bool:
        """Whether it has said so since the last call."""
        ready = False
        with contextlib.suppress(BlockingIOError):
            while True:
                ready = b"READY=1" in self._socket.recv(4096).splitlines() or ready
        return ready

    def close(self) -> None:
        """Nobody listens any more."""
        self._socket.close()
        shutil.rmtree(self._folder, ignore_errors=True)


class Rollout:
    """Advances by being looked at; never blocks.

    Args:
        present: the process that serves now.
        start: starts the next one, given where it should say that it is ready.
        timeout: seconds the next one may take until then; after that it is ended, and the present one stays.
    """

    def __init__(
        self,
        present: subprocess.Popen[bytes],
        start: Callable[[str], subprocess.Popen[bytes]],
        *,
        timeout: float,
    ) -> None:
        self.present = present
        self._readiness = Readiness()
        try:
            self.next = start(self._readiness.address)
        except BaseException:
            self._readiness.close()
            raise
        self.done = False
        # Why the present process stayed; empty while that is not so.
        self.failure = ""
        self._ready = False
        self._deadline = time.monotonic() + timeout

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The one that serves: the next one, from when it is ready."""
        return self.next if self._ready else self.present

    def advance(self) -> None:
        """Look how far it has come, and do what follows from that."""
        if self.done:
            return
        late = time.monotonic() > self._deadline
        if self._ready:
            if late:
                processes.signal_tree(self.present.pid, signal.SIGKILL)
            self.done = self.present.poll() is not None
        elif self.next.poll() is not None:
            self._fail(f"the new process ended with exit code {self.next.returncode}")
        elif self._readiness.said():
            self._ready = True
            self._readiness.close()
            self._deadline = time.monotonic() + _ENDING_SECONDS
            if self.present.poll() is None:
                self.present.terminate()
        elif late:
            self._fail("the new process was not ready in time")

    def abandon(self) -> None:
        """End the process that does not serve; the one that does is its supervisor's to end."""
        if not self.done:
            other = self.present if self._ready else self.next
            processes.signal_tree(other.pid, signal.SIGKILL)
            other.wait()
            self._readiness.close()
            self.done = True

    def _fail(self, reason: str) -> None:
        self.abandon()
        self.failure = reason
