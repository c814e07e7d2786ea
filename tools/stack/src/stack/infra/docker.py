"""Servers in containers, through testcontainers."""

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stack.errors import StackError
from stack.infra.credentials import Credentials
from stack.infra.server import Kind
from stack.processes import Identity
from stack.repository import ROOT

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

IMAGES = {Kind.POSTGRES: "postgres:17", Kind.REDIS: "redis:7", Kind.RABBITMQ: "rabbitmq:4-management"}
_PORTS = {Kind.POSTGRES: 5432, Kind.REDIS: 6379, Kind.RABBITMQ: 5672}
_PULL_SECONDS = 300
_OWNER_LABEL = "cobro.owner"
_STOP_SECONDS = 20


def available(kinds: Sequence[Kind]) -> bool:
    """Whether a Docker engine answers and has, or can pull, the images of these servers."""
    return _answers() and all(_has_image(IMAGES[kind]) for kind in kinds)


def prune() -> None:
    """Remove the containers of this machine's runs that ended without removing them. Volumes with data stay."""
    listing = (
        "ps",
        "--all",
        "--filter",
        f"label={_OWNER_LABEL}",
        "--format",
        f'{{{{.Names}}}} {{{{.Label "{_OWNER_LABEL}"}}}}',
    )
    for line in (_docker(*listing, timeout=10) or "").splitlines():
        name, _, owner = line.partition(" ")
        host, _, process = owner.partition("/")
        pid, _, started = process.partition("/")
        if host == socket.gethostname() and not Identity(int(pid), float(started)).alive():
            _docker("rm", "--force", "--volumes", name, timeout=60)


def _answers() -> bool:
    if shutil.which("docker") is None and not Path("/var/run/docker.sock").exists():
        return False
    return _docker("version", "--format", "{{.Server.Version}}", timeout=10) is not None


def _has_image(image: str) -> bool:
    at_hand = _docker("image", "inspect", image, timeout=20) is not None
    return at_hand or _docker("pull", "--quiet", image, timeout=_PULL_SECONDS) is not None


def _docker(*arguments: str, timeout: int) -> str | None:
    """What a docker command prints; None when it fails."""
    try:
        finished = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=timeout, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return finished.stdout if finished.returncode == 0 else None


class DockerServer:
    """A container of one of the official images.

    Args:
        port: where it is reached on this machine.
        volume: name of the volume that keeps the data; None for a server that is thrown away with its data.
        name: name of the container; one of that name left by a killed run is removed first.
    """

    def __init__(
        self, kind: Kind, *, credentials: Credentials, port: int, name: str, volume: str | None = None
    ) -> None:
        self.kind = kind
        self._credentials = credentials
        self._port = port
        self._name = name
        self._volume = volume
        self._container: DockerContainer | None = None

    @property
    def url(self) -> str:
        return self._address()

    def start(self) -> None:
        if self._container is not None:
            # Killed before: the same container again, with its data.
            self._container.get_wrapped_container().start()
            return
        # Imported here because it is large, needed by few, and configures itself from the environment.
        import docker.errors
        from testcontainers.core.config import testcontainers_config
        from testcontainers.core.container import DockerContainer

        # Its clean-up helper is one more image to pull; what a killed run leaves is found by name instead.
        testcontainers_config.ryuk_disabled = True
        _docker("rm", "--force", "--volumes", self._name, timeout=60)
        me = Identity.of(os.getpid())
        owner = f"{socket.gethostname()}/{me.pid}/{me.started}"
        container = DockerContainer(IMAGES[self.kind], name=self._name, labels={_OWNER_LABEL: owner})
        container.with_envs(**self._environment())
        container.with_command(self._command())
        for source, target in self._files().items():
            container.with_volume_mapping(str(source), target, "ro")
        if self._volume is not None:
            container.with_volume_mapping(self._volume, _DATA[self.kind], "rw")
        container.ports[str(_PORTS[self.kind])] = self._published()
        try:
            container.start()
        except docker.errors.DockerException as error:
            raise StackError(f"Docker could not start {IMAGES[self.kind]}: {error}") from error
        self._container = container

    def check_alive(self) -> None:
        if self._container is None:
            return
        wrapped = self._container.get_wrapped_container()
        wrapped.reload()
        if wrapped.status in {"exited", "dead"}:
            tail = wrapped.logs(tail=15).decode(errors="replace")
            raise StackError(f"The {self.kind} container ended. The end of its log:\n{tail}")

    def stop(self) -> None:
        if self._container is None:
            return
        import docker.errors

        with contextlib.suppress(docker.errors.APIError):
            self._container.get_wrapped_container().unpause()
        with contextlib.suppress(docker.errors.APIError):
            self._container.get_wrapped_container().stop(timeout=_STOP_SECONDS)
        self._container.stop()
        self._container = None

    def kill(self) -> None:
        if self._container is not None:
            wrapped = self._container.get_wrapped_container()
            wrapped.kill()
            wrapped.wait(timeout=30)

    def pause(self) -> None:
        if self._container is not None:
            self._container.get_wrapped_container().pause()

    def resume(self) -> None:
        if self._container is not None:
            self._container.get_wrapped_container().unpause()

    def identities(self) -> Mapping[str, Identity]:
        return {}

    def _published(self) -> Any:
        """The loopback interface only, which testcontainers hands on to Docker without having a word for it."""
        return (_host(), self._port) if _host() == "127.0.0.1" else self._port

    def _address(self) -> str:
        host = _host()
        match self.kind:
            case Kind.POSTGRES:
                return (
                    f"postgresql://{self._credentials.user}:{self._credentials.postgres}@{host}:{self._port}/postgres"
                )
            case Kind.RABBITMQ:
                return f"amqp://{self._credentials.user}:{self._credentials.rabbitmq}@{host}:{self._port}/"
            case Kind.REDIS:
                return f"redis://:{self._credentials.redis}@{host}:{self._port}/0"

    def _environment(self) -> Mapping[str, str]:
        match self.kind:
            case Kind.POSTGRES:
                return {"POSTGRES_USER": self._credentials.user, "POSTGRES_PASSWORD": self._credentials.postgres}
            case Kind.RABBITMQ:
                return {
                    "RABBITMQ_DEFAULT_USER": self._credentials.user,
                    "RABBITMQ_DEFAULT_PASS": self._credentials.rabbitmq,
                    "RABBITMQ_NODENAME": "cobro@localhost",
                }
            case Kind.REDIS:
                return {}

    def _command(self) -> list[str]:
        durable = self._volume is not None
        match self.kind:
            case Kind.POSTGRES:
                settings = ["config_file=/etc/postgresql/cobro.conf", "listen_addresses=*"]
                if not durable:
                    settings += ["fsync=off", "full_page_writes=off"]
                return ["postgres", *(argument for setting in settings for argument in ("-c", setting))]
            case Kind.RABBITMQ:
                return ["rabbitmq-server"]
            case Kind.REDIS:
                return [
                    *("redis-server", "--requirepass", self._credentials.redis, "--save", ""),
                    *("--appendonly", "yes" if durable else "no"),
                    *("--maxmemory", "128mb", "--maxmemory-policy", "volatile-ttl"),
                ]

    def _files(self) -> Mapping[Path, str]:
        match self.kind:
            case Kind.POSTGRES:
                return {ROOT / "deploy" / "postgres" / "postgresql.conf": "/etc/postgresql/cobro.conf"}
            case Kind.RABBITMQ:
                return {ROOT / "deploy" / "rabbitmq" / "rabbitmq.conf": "/etc/rabbitmq/conf.d/20-cobro.conf"}
            case Kind.REDIS:
                return {}


_DATA = {
    Kind.POSTGRES: "/var/lib/postgresql/data",
    Kind.RABBITMQ: "/var/lib/rabbitmq",
    Kind.REDIS: "/data",
}


def _host() -> str:
    """Where published ports are reached: this machine, unless the engine runs on another."""
    engine = os.environ.get("DOCKER_HOST", "")
    return engine.removeprefix("tcp://").rsplit(":", 1)[0] if engine.startswith("tcp://") else "127.0.0.1"
