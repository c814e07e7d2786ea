"""A private RabbitMQ, with its own node name, ports, cookie and port mapper (epmd)."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from stack import blocking, processes
from stack.errors import StackError
from stack.infra.private.base import PrivateServer
from stack.infra.server import Kind
from stack.ports import is_free
from stack.processes import Identity
from stack.repository import ROOT


class PrivateRabbitMQ(PrivateServer):
    """`rabbitmq-server` without plugins.

    Three ports, all on the loopback interface: AMQP, Erlang's distribution, and an epmd of its own, so that neither a
    system RabbitMQ nor another suite on this machine is ever met.
    """

    kind = Kind.RABBITMQ

    def __init__(
        self,
        directory: Path,
        *,
        port: int,
        distribution_port: int,
        epmd_port: int,
        durable: bool,
        user: str,
        password: str,
        script: Path,
        epmd: Path,
        log: Path | None = None,
    ) -> None:
        super().__init__(directory, port=port, durable=durable, log=log)
        self._distribution_port = distribution_port
        self._epmd_port = epmd_port
        self._role = user
        self._password = password
        self._script = script
        self._epmd = epmd
        self._epmd_process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"amqp://{self._role}:{self._password}@127.0.0.1:{self.port}/"

    def prepare(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        configuration = self.directory / "rabbitmq.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            (ROOT / "deploy" / "rabbitmq" / "rabbitmq.conf").read_text()
            + f"\nlisteners.tcp.default = 127.0.0.1:{self.port}\n"
            + f"default_user = {self._role}\ndefault_pass = {self._password}\n"
        )
        (self.directory / "enabled_plugins").write_text("[].\n")
        (self.directory / "rabbitmq-env.conf").touch()
        self._start_epmd()

    def argv(self) -> Sequence[str]:
        return (str(self._script),)

    def environment(self) -> Mapping[str, str]:
        folder = self.directory
        return {
            **super().environment(),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": "cobro@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "rabbitmq-env.conf"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "rabbitmq.pid"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
            # The start script then replaces itself by the virtual machine, so that the process we hold is the server
            # and not a shell around it; the machine is told below what the script would have told it.
            "RABBITMQ_ALLOW_INPUT": "1",
            # Busy waiting is for machines with cores to spare.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-noinput +B i +sbwt none +sbwtdcpu none +sbwtdio none "
            "-kernel inet_dist_use_interface {127,0,0,1}",
        }

    def stop(self) -> None:
        super().stop()
        if self._epmd_process is not None:
            processes.stop(self._epmd_process, grace=2.0)
            self._epmd_process = None

    def identities(self) -> Mapping[str, Identity]:
        mapper = self._epmd_process
        alive = {"epmd": Identity.of(mapper.pid)} if mapper is not None and mapper.poll() is None else {}
        return {**super().identities(), **alive}

    def _start_epmd(self) -> None:
        """Run epmd ourselves: the virtual machine would leave one behind as a daemon."""
        if self._epmd_process is not None and self._epmd_process.poll() is None:
            return
        self._epmd_process = self._spawn((str(self._epmd), "-port", str(self._epmd_port), "-address", "127.0.0.1"))
        if not blocking.poll(lambda: not is_free(self._epmd_port), timeout=10.0):
            raise StackError(f"epmd did not start on port {self._epmd_port}; see {self.log}.")
