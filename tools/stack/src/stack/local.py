"""The suite of one checkout on one machine: what `up` runs, with data that stay."""

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from stack import runner
from stack.control import Control, Request
from stack.environment import Addresses, SuiteEnvironment
from stack.errors import StackError
from stack.infra import Infrastructure, locate
from stack.ports import PortPicker
from stack.processes import Identity
from stack.rollout import Rollout
from stack.secret_store import SecretStore
from stack.state import ComponentState, RunFile, RunState
from stack.supervisor import Component, Supervisor

SECRETS_FILE = "secrets.env"
_SERVER_CHECK_SECONDS = 2.0
_LOG_LIMIT = 10 * 1024 * 1024


class LocalSuite:
    """Starts in the order things need each other, stops in the reverse order.

    Args:
        data: folder for everything that stays.
        run_file: already acquired.
        notify: gets progress and unexpected ends, one line each.
    """

    def __init__(self, data: Path, run_file: RunFile, notify: Callable[[str], None]) -> None:
        self.data = data
        self.logs = data / "logs"
        self.secrets = SecretStore(data / SECRETS_FILE)
        self._run_file = run_file
        self._notify = notify
        self._phase = "starting"
        self._infrastructure: Infrastructure | None = None
        self._control: Control | None = None
        self._rolling: tuple[Request, Rollout] | None = None
        self._supervisor = Supervisor(changed=self._write_state, notify=notify)

    def start(self) -> Addresses:
        """Everything, until every service is ready. On failure call `stop`."""
        _rotate(self.logs)
        remembered = _read_ports(self._ports_file)
        ports = PortPicker()
        self._enter("starting PostgreSQL, RabbitMQ and Redis")
        self._infrastructure = locate(
            directory=self.data / "servers",
            credentials=self.secrets.administrators(),
            ports=ports,
            remembered_ports=remembered,
            notify=self._notify,
        )
        addresses = Addresses.choose(ports, remembered=remembered, usual=True)
        self._ports_file.write_text(json.dumps(addresses.as_ports() | self._infrastructure.ports(), indent=2))
        self._infrastructure.start()

        environment = SuiteEnvironment(
            name="local",
            addresses=addresses,
            secrets=self.secrets,
            infrastructure=self._infrastructure,
            data=self.data,
            caller=os.environ,
        )
        services = runner.installed_services(self._notify)
        self._enter("preparing the database")
        runner.provision_database(self._infrastructure, self.secrets, caller=os.environ)
        runner.migrate(services, environment, self.logs)
        self._enter("declaring and proving the queues")
        runner.declare_topology(environment, self.logs)
        self._enter("starting the services")
        runner.add_components(self._supervisor, services, environment, self.logs)
        names = [component.name for component in self._supervisor.components]
        for name in names:
            self._supervisor.start(name)
        runner.wait_until_ready(self._supervisor, names)
        return addresses

    def supervise(self) -> None:
        """Keep everything running until the process is told to end. Says "ready" in the state from here on."""
        self._phase = "ready"
        self._write_state()
        next_check = 0.0
        self._control = Control(self.data)
        while True:
            self._supervisor.tend()
            self._answer()
            if self._infrastructure is not None and time.monotonic() >= next_check:
                if self._infrastructure.revive(self._notify):
                    self._write_state()
                next_check = time.monotonic() + _SERVER_CHECK_SECONDS
            time.sleep(0.2)

    def stop(self) -> None:
        """Services first, then what they stand on."""
        self._enter("stopping")
        if self._control is not None:
            self._control.close()
        self._supervisor.stop_all(grace=20.0)
        if self._infrastructure is not None:
            self._infrastructure.stop()

    def _answer(self) -> None:
        """Do what other terminals ask for, one thing at a time."""
        if self._rolling is not None:
            asked, rollout = self._rolling
            if rollout.done:
                asked.answer(rollout.failure or "ok")
                self._rolling = None
            return
        request = self._control.next() if self._control is not None else None
        if request is None:
            return
        try:
            match request.words:
                case ["rollout", name] if name in {component.name for component in self._supervisor.components}:
                    self._rolling = request, self._supervisor.roll_out(name)
                case _:
                    request.answer(f"not understood: {' '.join(request.words)}")
        except StackError as error:
            request.answer(str(error))

    @property
    def _ports_file(self) -> Path:
        return self.data / "ports.json"

    def _enter(self, phase: str) -> None:
        self._phase = phase
        self._notify(phase)
        self._write_state()

    def _write_state(self) -> None:
        servers = [] if self._infrastructure is None else self._infrastructure.identities()
        self._run_file.write(
            RunState(
                supervisor=Identity.of(os.getpid()),
                phase=self._phase,
                components=(
                    *(ComponentState(name, identity.pid, identity.started) for name, identity in servers),
                    *(_state_of(component) for component in self._supervisor.components),
                ),
            )
        )


def _state_of(component: Component) -> ComponentState:
    identity = component.identity()
    return ComponentState(
        component.name,
        pid=None if identity is None else identity.pid,
        started=None if identity is None else identity.started,
        url=None if component.ready_url is None else component.ready_url.removesuffix("/health/ready"),
        ready_url=component.ready_url,
        restarts=component.restarts,
    )


def _read_ports(file: Path) -> Mapping[str, int]:
    try:
        return {str(name): int(port) for name, port in json.loads(file.read_text()).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _rotate(logs: Path) -> None:
    """Begin anew with logs that have grown large, keeping one earlier part."""
    for log in logs.glob("*.log"):
        if log.stat().st_size > _LOG_LIMIT:
            shutil.move(log, log.with_suffix(".log.1"))
