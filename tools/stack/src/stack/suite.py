"""A whole suite inside a test or a benchmark, thrown away at the end, whose every part can be broken on purpose."""

import os
import shutil
import signal
import threading
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from stack import runner
from stack.environment import Addresses, SuiteEnvironment
from stack.errors import StackError
from stack.infra import Infrastructure, locate, throwaway
from stack.infra.readiness import wait_until_ready
from stack.infra.server import Kind
from stack.ports import PortPicker
from stack.secret_store import SecretStore
from stack.services import TWINS, Service
from stack.supervisor import Supervisor


class Suite:
    """Servers, twins and services on free ports, in a temporary folder.

    A context manager, `with` or `async with`; enter it in the main thread, or in one that lives as long as the suite.
    What ends by itself is started again, as in production; what `kill` ended stays down until `start`.

    Args:
        services: names of the services to run; None for all that are installed.
        environment: variables for every process that win over what the suite would say.
        infrastructure: servers to use instead of throwaway ones; they are started and stopped with the suite.
        launcher: what Python is given before a service's name and command, where that is not `-m`: a script that
            changes something in a service's process before it starts.
        notify: gets progress and unexpected ends, one line each.
    """

    def __init__(
        self,
        *,
        services: Sequence[str] | None = None,
        environment: Mapping[str, str] | None = None,
        infrastructure: Infrastructure | None = None,
        launcher: Sequence[str] = runner.LAUNCHER,
        notify: Callable[[str], None] = lambda message: None,
    ) -> None:
        self._wanted = services
        self._launcher = launcher
        self._extra = dict(environment or {})
        self._given = infrastructure
        self._notify = notify
        self._end = threading.Event()
        self._paused: set[Kind] = set()
        self._supervisor = Supervisor(first_delay=0.2, notify=notify)
        self._thread = threading.Thread(target=self._supervisor.tend_until, args=(self._end,), daemon=True)

    def up(self) -> None:
        """Start everything and return when every service is ready; on failure nothing is left running."""
        services = self._services()
        self.directory = throwaway.make()
        self.secrets = SecretStore()
        ports = PortPicker()
        try:
            self.infrastructure = self._given or locate(
                credentials=self.secrets.administrators(), ports=ports, notify=self._notify
            )
            self.infrastructure.start()
            self.addresses = Addresses.choose(ports, remembered={}, usual=False)
            self.environment = SuiteEnvironment(
                name="test",
                addresses=self.addresses,
                secrets=self.secrets,
                infrastructure=self.infrastructure,
                data=self.directory,
                caller={},
                extra=self._extra,
            )
            self._start_processes(services)
        except BaseException:
            self.down()
            raise

    def down(self) -> None:
        """Stop everything and forget its data. KEEP_SUITE_LOGS=<folder> keeps the logs."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()
        self._supervisor.stop_all(grace=10.0)
        if hasattr(self, "infrastructure"):
            self.infrastructure.stop()
        if keep := os.environ.get("KEEP_SUITE_LOGS"):
            shutil.copytree(self.directory / "logs", Path(keep), dirs_exist_ok=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def gateway_url(self) -> str:
        """Base address of the public API, without `/api/v1`."""
        return self.url("gateway")

    @property
    def twins_url(self) -> str:
        """Base address of the twins of the outside systems."""
        return self.url(TWINS)

    def url(self, name: str) -> str:
        """Base HTTP address of a service."""
        return self.addresses.url(name)

    def database_url(self, service: str) -> str:
        """The database as an administrator sees it, with a service's tables at hand: for looking behind the scenes."""
        parts = urllib.parse.urlsplit(self.infrastructure.url(Kind.POSTGRES))
        options = urllib.parse.urlencode({"options": f"-csearch_path={service},extensions"})
        return urllib.parse.urlunsplit(parts._replace(path="/cobro", query=options))

    def logs(self, service: str) -> str:
        """Everything a service, or the twins, have logged so far."""
        return self._supervisor[service].log.read_text(errors="replace")

    def pid(self, service: str) -> int | None:
        """The process of a service now; None while it is down."""
        identity = self._supervisor[service].identity()
        return None if identity is None else identity.pid

    def restarts(self, service: str) -> int:
        """How often a service ended by itself and was started again."""
        return self._supervisor[service].restarts

    def kill(self, service: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to a service's processes; after SIGKILL, SIGTERM or SIGINT it stays down until `start`."""
        self._supervisor.kill(service, number)

    def start(self, *services: str, timeout: float = 60.0) -> None:
        """Start services that are down, and return when they are ready."""
        for service in services:
            self._supervisor.start(service)
        self.wait_until_ready(services, timeout=timeout)

    def stop(self, service: str) -> None:
        """End a service as a deployment would: it finishes what it is doing."""
        self._supervisor.stop(service)

    def roll_out(self, service: str, *, timeout: float = 60.0) -> None:
        """Replace a service's process as a rolling deployment would; return when the old one has ended."""
        runner.roll_out(self._supervisor, service, timeout=timeout)

    def wait_until_ready(self, services: Sequence[str] | None = None, *, timeout: float = 120.0) -> None:
        """Return when these (or all) are ready; StackError when that takes longer."""
        names = services or [component.name for component in self._supervisor.components]
        runner.wait_until_ready(self._supervisor, names, timeout=timeout)

    def stop_broker(self, *, pause: bool = False) -> None:
        """Kill RabbitMQ, or freeze it."""
        self._stop_server(Kind.RABBITMQ, pause=pause)

    def start_broker(self) -> None:
        """Bring RabbitMQ back, and return when it answers."""
        self._start_server(Kind.RABBITMQ)

    def stop_redis(self, *, pause: bool = False) -> None:
        """Kill Redis, or freeze it. Killed, it comes back empty."""
        self._stop_server(Kind.REDIS, pause=pause)

    def start_redis(self) -> None:
        """Bring Redis back, and return when it answers."""
        self._start_server(Kind.REDIS)

    def stop_postgres(self, *, pause: bool = False) -> None:
        """Kill PostgreSQL, or freeze it."""
        self._stop_server(Kind.POSTGRES, pause=pause)

    def start_postgres(self) -> None:
        """Bring PostgreSQL back, and return when it answers."""
        self._start_server(Kind.POSTGRES)

    def _start_processes(self, services: Sequence[Service]) -> None:
        logs = self.directory / "logs"
        runner.provision_database(self.infrastructure, self.secrets)
        runner.migrate(services, self.environment, logs)
        runner.declare_topology(self.environment, logs)
        runner.add_components(self._supervisor, services, self.environment, logs, launcher=self._launcher)
        for component in self._supervisor.components:
            self._supervisor.start(component.name)
        self.wait_until_ready()
        self._thread.start()

    def _services(self) -> Sequence[Service]:
        installed = runner.installed_services(self._notify)
        if self._wanted is None:
            return installed
        unknown = set(self._wanted) - {service.name for service in installed}
        if unknown:
            raise StackError(f"no such service, or not installed: {', '.join(sorted(unknown))}")
        return [service for service in installed if service.name in self._wanted]

    def _stop_server(self, kind: Kind, *, pause: bool) -> None:
        server = self.infrastructure[kind]
        if pause:
            server.pause()
            self._paused.add(kind)
        else:
            server.kill()

    def _start_server(self, kind: Kind) -> None:
        server = self.infrastructure[kind]
        if kind in self._paused:
            self._paused.discard(kind)
            server.resume()
        else:
            server.start()
        wait_until_ready([server])

    def __enter__(self) -> "Suite":
        self.up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    async def __aenter__(self) -> "Suite":
        self.up()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()
