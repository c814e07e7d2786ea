"""The steps between servers that answer and services that run: database, migrations, queues, processes."""

import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import asyncpg
from chassis.database.provision import provision

from stack import blocking, processes
from stack.environment import HOST, SuiteEnvironment
from stack.errors import StackError
from stack.infra import Infrastructure
from stack.infra.server import Kind
from stack.secret_store import SecretStore
from stack.services import DATABASE, SERVICES, TWINS, WITH_DATABASE, Service
from stack.supervisor import Component, Supervisor

LAUNCHER = ("-m",)

_MIGRATION_SECONDS = 300.0
_TOPOLOGY_SECONDS = 120.0
_PARALLEL_MIGRATIONS = 2


def provision_database(
    infrastructure: Infrastructure, secrets: SecretStore, *, caller: Mapping[str, str] | None = None
) -> None:
    """Database, schemas and roles of every service.

    A role whose address the caller gives (such as PAYMENTS_DATABASE_URL) gets the password in it.
    """
    given = _passwords_in(caller or {})
    try:
        blocking.run(
            provision(
                infrastructure.url(Kind.POSTGRES),
                database=DATABASE,
                services=WITH_DATABASE,
                password=lambda role: given.get(role) or secrets.database_password(role),
            )
        )
    except (asyncpg.PostgresError, OSError) as error:
        raise StackError(f"The database could not be provisioned: {error}") from error


def migrate(services: Sequence[Service], environment: SuiteEnvironment, logs: Path) -> None:
    """Bring every service's schema up to date, two at a time."""
    waiting = [service for service in services if service.has_database]
    running: dict[str, subprocess.Popen[bytes]] = {}
    deadline = time.monotonic() + _MIGRATION_SECONDS
    try:
        while waiting or running:
            while waiting and len(running) < _PARALLEL_MIGRATIONS:
                service = waiting.pop(0)
                running[service.name] = processes.spawn(
                    [sys.executable, "-m", service.name, "migrate"],
                    environment=environment.of_service(service),
                    log=logs / f"{service.name}.log",
                )
            for name, process in list(running.items()):
                if process.poll() is not None:
                    del running[name]
                    _require_success(f"Migrating {name}", process.returncode, logs / f"{name}.log")
            if time.monotonic() > deadline:
                raise StackError(f"Migrating {', '.join(running)} took longer than {_MIGRATION_SECONDS:.0f} s.")
            time.sleep(0.05)
    finally:
        for process in running.values():
            processes.stop(process, grace=2.0)


def declare_topology(environment: SuiteEnvironment, logs: Path) -> None:
    """Exchanges and queues, settled and proven with a canary before anything is published."""
    log = logs / "topology.log"
    process = processes.spawn(
        [sys.executable, "-m", "chassis.bus", "declare"], environment=environment.of_topology(), log=log
    )
    try:
        code = process.wait(_TOPOLOGY_SECONDS)
    except subprocess.TimeoutExpired:
        raise StackError(f"Declaring the queues took longer than {_TOPOLOGY_SECONDS:.0f} s; see {log}.") from None
    finally:
        processes.stop(process, grace=2.0)
    _require_success("Declaring the queues", code, log)


def add_components(
    supervisor: Supervisor,
    services: Sequence[Service],
    environment: SuiteEnvironment,
    logs: Path,
    *,
    launcher: Sequence[str] = LAUNCHER,
) -> None:
    """Make the twins and the services known to the supervisor, in the order they start.

    launcher: what Python is given before a service's name and command.
    """
    supervisor.add(
        Component(
            TWINS,
            (sys.executable, "-m", "twins"),
            environment.of_twins(),
            logs / f"{TWINS}.log",
            ready_url=f"{environment.addresses.url(TWINS)}/health/ready",
        )
    )
    for service in services:
        supervisor.add(
            Component(
                service.name,
                (sys.executable, *launcher, service.name, "all"),
                # Here, unlike in containers, the next process of a service shares its network with the present one.
                {"RPC_PORT_SHARED": "true", **environment.of_service(service)},
                logs / f"{service.name}.log",
                ready_url=f"{environment.addresses.url(service.name)}/health/ready",
                listens=(HOST, environment.addresses.http[service.name]),
            )
        )


def installed_services(notify: Callable[[str], None]) -> tuple[Service, ...]:
    """The services whose packages are installed."""
    absent = [service.name for service in SERVICES if not service.installed()]
    if absent:
        notify(f"not installed, so left out: {', '.join(absent)}")
    return tuple(service for service in SERVICES if service.installed())


def is_ready(url: str, *, timeout: float = 2.0) -> bool:
    """Whether a readiness address answers 200."""
    try:
        # Without the machine's proxies, which know nothing of its loopback interface.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=timeout) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def wait_until_ready(
    supervisor: Supervisor, names: Sequence[str], *, timeout: float = 120.0, give_up: threading.Event | None = None
) -> None:
    """Return when all these components are ready; StackError with the end of the log of one that is not."""
    deadline = time.monotonic() + timeout
    pending = list(names)
    while pending:
        pending = [name for name in pending if not _ready(supervisor[name])]
        if not pending:
            return
        if give_up is not None and give_up.is_set():
            raise StackError("interrupted")
        if time.monotonic() > deadline or any(supervisor[name].restarts > 3 for name in pending):
            log = supervisor[pending[0]].log
            raise StackError(f"Not ready: {', '.join(pending)}. The end of {log}:\n{tail(log)}")
        supervisor.tend()
        time.sleep(0.1)


def roll_out(supervisor: Supervisor, name: str, *, timeout: float = 60.0) -> None:
    """Replace a component's process without a moment in which nobody answers; return when the earlier one has ended.

    StackError with the end of the log where the new process does not come to be ready; the present one then goes on.
    """
    rollout = supervisor.roll_out(name, timeout=timeout)
    while not rollout.done:
        supervisor.tend()
        time.sleep(0.05)
    if rollout.failure:
        log = supervisor[name].log
        raise StackError(f"{name} was not rolled out: {rollout.failure}. The end of {log}:\n{tail(log)}")


def tail(log: Path, lines: int = 20) -> str:
    """The end of a log."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError as error:
        return str(error)


def _passwords_in(caller: Mapping[str, str]) -> dict[str, str]:
    """The passwords of database roles in the addresses of a caller's environment."""
    addresses = (
        urllib.parse.urlsplit(caller.get(f"{name.upper()}_{kind}", ""))
        for name in WITH_DATABASE
        for kind in ("DATABASE_URL", "MIGRATION_DATABASE_URL")
    )
    return {
        parts.username: urllib.parse.unquote(parts.password) for parts in addresses if parts.username and parts.password
    }


def _ready(component: Component) -> bool:
    return component.running() and (component.ready_url is None or is_ready(component.ready_url))


def _require_success(what: str, code: int, log: Path) -> None:
    if code != 0:
        raise StackError(f"{what} failed with exit code {code}. The end of {log}:\n{tail(log)}")
