"""What the three private servers share: one process with its own data folder, known by a record in that folder."""

import os
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

from stack import processes
from stack.errors import StackError
from stack.infra.server import Kind
from stack.processes import Identity

_LOG_TAIL_LINES = 15


class PrivateServer(ABC):
    """A server process of ours.

    Args:
        directory: holds everything of this server; nobody else writes there.
        port: TCP port on the loopback interface.
        durable: True keeps data across power cuts; False is for servers that are thrown away, which still keep
            what they acknowledged when the process is killed.
    """

    kind: Kind
    stop_signal = signal.SIGTERM

    def __init__(self, directory: Path, *, port: int, durable: bool, log: Path | None = None) -> None:
        self.directory = directory
        self.port = port
        self.durable = durable
        self.log = log or directory / "server.log"
        self.user: str | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Address with the administrator's credentials."""

    @abstractmethod
    def prepare(self) -> None:
        """Create data and configuration where they are missing. May be called again."""

    @abstractmethod
    def argv(self) -> Sequence[str]:
        """The command of the server's main process, which must not put itself into the background."""

    def environment(self) -> Mapping[str, str]:
        """Only what the server needs: nothing of the caller's environment may change how it behaves."""
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin:" + os.environ.get("PATH", ""),
            "HOME": str(self.directory),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
        }

    def start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self.end_leftover()
        self.prepare()
        self._process = self._spawn(self.argv())
        processes.record(self._record, tuple(self.identities().values()))

    def check_alive(self) -> None:
        if self._process is not None and (code := self._process.poll()) is not None:
            raise StackError(f"{self.kind} ended with exit code {code}. The end of {self.log}:\n{self._log_tail()}")

    def stop(self) -> None:
        if self._process is not None:
            processes.stop(self._process, number=self.stop_signal, grace=20.0)
            self._process = None
            self._record.unlink(missing_ok=True)

    def kill(self) -> None:
        if self._process is not None:
            processes.signal_tree(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def identities(self) -> Mapping[str, Identity]:
        if self._process is None or self._process.poll() is not None:
            return {}
        return {str(self.kind): Identity.of(self._process.pid)}

    def end_leftover(self) -> None:
        """End the processes that a killed run of ours left on this data folder."""
        processes.end_recorded(self._record, number=self.stop_signal)

    @property
    def _record(self) -> Path:
        return self.directory / "process.json"

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            processes.signal_tree(self._process.pid, number)

    def _spawn(self, argv: Sequence[str]) -> subprocess.Popen[bytes]:
        return processes.spawn(
            argv,
            environment=self.environment(),
            log=self.log,
            cwd=self.directory,
            user=self.user,
            death_signal=self.stop_signal,
        )

    def _log_tail(self) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:])
        except OSError as error:
            return str(error)
