"""A private PostgreSQL, from the system's binaries."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from stack import processes
from stack.errors import StackError
from stack.infra.private.base import PrivateServer
from stack.infra.server import Kind
from stack.repository import ROOT, checkout_id

# With `fsync` off a killed server still keeps what it acknowledged, because the kernel has it; with
# `synchronous_commit` off it would not, and every test that kills the server would lie.
_THROWAWAY = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "on",
    "shared_buffers": "64MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class PrivatePostgres(PrivateServer):
    """`postgres` on the loopback interface only, without a Unix socket, so that the length of its path never matters.

    PostgreSQL refuses to run as root: root lends it the system user that PostgreSQL's package made.
    """

    kind = Kind.POSTGRES
    # Fast shutdown: ends sessions and leaves clean data. SIGTERM would wait for every client to go.
    stop_signal = signal.SIGINT

    def __init__(
        self,
        directory: Path,
        *,
        port: int,
        durable: bool,
        user: str,
        password: str,
        binaries: Path,
        log: Path | None = None,
    ) -> None:
        super().__init__(directory, port=port, durable=durable, log=log)
        self.user = server_user()
        self.directory = reachable(directory, self.user)
        if log is None:
            self.log = self.directory / "server.log"
        self._role = user
        self._password = password
        self._binaries = binaries

    @property
    def url(self) -> str:
        return f"postgresql://{self._role}:{self._password}@127.0.0.1:{self.port}/postgres"

    @property
    def data(self) -> Path:
        """The folder `initdb` made."""
        return self.directory / "data"

    def prepare(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o711)
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        version = (self.data / "PG_VERSION").read_text().strip()
        if (self._binaries.parent.name.isdigit()) and self._binaries.parent.name != version:
            raise StackError(
                f"The data in {self.data} were made by PostgreSQL {version}, and the installed one is "
                f"{self._binaries.parent.name}. Install that version, migrate with pg_upgrade, or move the folder away."
            )
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "logging_collector": "off",
            **({} if self.durable else _THROWAWAY),
        }
        shared = (ROOT / "deploy" / "postgres" / "postgresql.conf").read_text()
        local = "".join(f"{name} = '{value}'\n" for name, value in settings.items())
        # Beside what `initdb` found out about this machine, such as which kind of shared memory works.
        configuration = self.data / "cobro.conf"
        configuration.write_text(f"{shared}\n{local}")
        self._give(configuration)
        # PostgreSQL checks its lock file itself, but mistakes any process that got the same id for the dead server.
        self._forget_dead_postmaster()

    def argv(self) -> Sequence[str]:
        return (str(self._binaries / "postgres"), "-D", str(self.data))

    def _initialise(self) -> None:
        # A half-made folder of an interrupted run would be refused; nothing of value can be in it.
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700)
        self._give(self.data)
        with tempfile.NamedTemporaryFile("w", dir=self.directory, prefix="pw") as password_file:
            password_file.write(self._password)
            password_file.flush()
            self._give(Path(password_file.name))
            command = [
                str(self._binaries / "initdb"),
                f"--pgdata={self.data}",
                f"--username={self._role}",
                f"--pwfile={password_file.name}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-instructions",
                *([] if self.durable else ["--no-sync"]),
            ]
            finished = subprocess.run(
                command,
                env=dict(self.environment()),
                cwd=self.directory,
                user=self.user,
                group=None if self.user is None else processes.primary_group(self.user),
                extra_groups=None if self.user is None else [],
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
        if finished.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            raise StackError(f"initdb failed:\n{finished.stderr.strip()}")
        with (self.data / "postgresql.conf").open("a") as configuration:
            configuration.write("\ninclude 'cobro.conf'\n")

    def _forget_dead_postmaster(self) -> None:
        lock = self.data / "postmaster.pid"
        try:
            pid = int(lock.read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return
        command = next(iter(processes.tree(pid)), None)
        if command is None or str(self.data) not in " ".join(command.cmdline()):
            lock.unlink(missing_ok=True)
            return
        processes.stop_stranger(processes.Identity.of(pid), number=self.stop_signal)

    def _give(self, path: Path) -> None:
        if self.user is not None:
            shutil.chown(path, self.user, processes.primary_group(self.user))


def server_user() -> str | None:
    """The user that root lends to PostgreSQL; None when the caller is not root and runs it as itself."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        raise StackError("PostgreSQL refuses to run as root, and there is no system user `postgres`.") from None


def reachable(directory: Path, user: str | None) -> Path:
    """`directory`, or a folder under /var/lib/cobro when `user` may not pass through the folders above it."""
    if user is None:
        return directory
    existing = next(path for path in (directory, *directory.parents) if path.is_dir())
    allowed = subprocess.run(
        ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(existing)],
        user=user,
        group=processes.primary_group(user),
        extra_groups=[],
        cwd="/",
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if allowed.returncode == 0:
        return directory
    return Path("/var/lib/cobro") / checkout_id(directory) / directory.name
