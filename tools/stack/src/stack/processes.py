"""Starting, recognising and stopping processes, whole trees at a time."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

_START_TIME_TOLERANCE = 2.0

# The parent may die before the child has asked for its signal; then nobody would send it, so the child looks itself.
_UNLESS_ORPHANED = '[ "$PPID" = "$1" ] || exit 1; shift; exec "$@"'
# systemd's protocol: the listening socket is descriptor 3, for the process with this very id.
_WITH_LISTENER = 'LISTEN_FDS=1 LISTEN_PID=$$; export LISTEN_FDS LISTEN_PID; exec "$@" 3<&0 0</dev/null'


@dataclass(frozen=True, slots=True)
class Identity:
    """A process that cannot be mistaken for a later one with the same id.

    `started` is seconds since the epoch, as the operating system reports them.
    """

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> "Identity":
        """The identity of a running process; psutil.NoSuchProcess when there is none."""
        return cls(pid, psutil.Process(pid).create_time())

    def process(self) -> psutil.Process | None:
        """The process while it lives; None when it ended or its id now belongs to another."""
        try:
            process = psutil.Process(self.pid)
            # The kernel counts from boot, and the boot time shifts a little when the clock is corrected.
            if abs(process.create_time() - self.started) > _START_TIME_TOLERANCE:
                return None
            return None if process.status() == psutil.STATUS_ZOMBIE else process
        except psutil.Error:
            return None

    def alive(self) -> bool:
        """Whether this very process still runs."""
        return self.process() is not None


def spawn(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str],
    log: Path,
    cwd: Path | None = None,
    user: str | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
    long_lived_thread: bool = False,
    listener: socket.socket | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, its output appended to `log`.

    It gets `death_signal` from the kernel when this process dies, however it dies. A session of its own keeps Ctrl-C
    at the terminal from reaching it, so that things stop in order.

    Args:
        user: the user to run it as; only root may name one.
        long_lived_thread: the caller promises that the calling thread lives as long as the process should.
        listener: a listening socket the process is to serve (sd_listen_fds(3)); it stays open here too.
    """
    command = list(argv) if listener is None else ["sh", "-c", _WITH_LISTENER, "sh", *argv]
    # The kernel means the thread that forked, not the process: a child of a short-lived thread would die with it.
    bound = long_lived_thread or threading.current_thread() is threading.main_thread()
    if bound and shutil.which("setpriv"):
        bind = ["setpriv", "--pdeathsig", death_signal.name.removeprefix("SIG"), "--"]
        command = [*bind, "sh", "-c", _UNLESS_ORPHANED, "sh", str(os.getpid()), *command]
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            env=dict(environment),
            cwd=cwd,
            stdin=subprocess.DEVNULL if listener is None else listener.fileno(),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=user,
            group=None if user is None else primary_group(user),
            extra_groups=None if user is None else [],
        )


def primary_group(user: str) -> int:
    """The id of a user's first group."""
    import pwd  # absent outside POSIX, where this is never asked

    return pwd.getpwnam(user).pw_gid


def tree(pid: int) -> list[psutil.Process]:
    """A process and all its descendants, parents first; empty when it is gone."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def signal_tree(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process and all its descendants."""
    for process in tree(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def stop(process: subprocess.Popen[bytes], *, number: signal.Signals = signal.SIGTERM, grace: float = 15.0) -> int:
    """End a child: ask it, wait `grace` seconds, then kill what is left of its tree. Returns its exit code."""
    members = tree(process.pid) if process.poll() is None else []
    if process.poll() is None:
        # A stopped process would only see the request after it is continued.
        signal_tree(process.pid, signal.SIGCONT)
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace)
    _kill(members)
    code = process.wait()
    _await_end(members[1:])
    return code


def stop_stranger(identity: Identity, *, number: signal.Signals = signal.SIGTERM, grace: float = 15.0) -> bool:
    """End a process that is not our child (the leftover of an earlier run). False when it had already ended."""
    process = identity.process()
    if process is None:
        return False
    members = tree(identity.pid)
    with contextlib.suppress(psutil.NoSuchProcess):
        signal_tree(identity.pid, signal.SIGCONT)
        process.send_signal(number)
    deadline = time.monotonic() + grace
    while identity.alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    _kill(members)
    _await_end(members)
    return True


def record(file: Path, identities: Sequence[Identity]) -> None:
    """Write down which processes belong to something, so that a later run can recognise them."""
    file.write_text(json.dumps([asdict(identity) for identity in identities]))


def recorded(file: Path) -> list[Identity]:
    """The processes a record names; none when it is missing or damaged."""
    try:
        return [Identity(**entry) for entry in json.loads(file.read_text())]
    except (OSError, ValueError, TypeError):
        return []


def end_recorded(file: Path, *, number: signal.Signals = signal.SIGTERM, grace: float = 20.0) -> None:
    """End the processes a record names, as far as they still live, and remove it."""
    for identity in recorded(file):
        stop_stranger(identity, number=number, grace=grace)
    file.unlink(missing_ok=True)


def _kill(members: Sequence[psutil.Process]) -> None:
    for member in members:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()


def _await_end(members: Sequence[psutil.Process]) -> None:
    """Return when killed processes are gone. Not for our own children: their exit code would be lost."""
    psutil.wait_procs(members, timeout=5.0)
