"""Deciding where the three servers come from, and starting and stopping them together."""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from kernel import new_id

from stack.errors import StackError
from stack.infra import docker, throwaway
from stack.infra.credentials import Credentials
from stack.infra.external import ExternalServer
from stack.infra.private import PrivatePostgres, PrivateRabbitMQ, PrivateRedis
from stack.infra.private.binaries import find_or_install
from stack.infra.readiness import wait_until_ready
from stack.infra.server import Kind, Server
from stack.ports import PortPicker
from stack.processes import Identity
from stack.repository import checkout_id

URL_VARIABLES = {
    Kind.POSTGRES: "POSTGRES_ADMIN_URL",
    Kind.RABBITMQ: "RABBITMQ_URL",
    Kind.REDIS: "REDIS_URL",
}
_WAYS = ("urls", "docker", "private")


@dataclass(slots=True)
class Infrastructure:
    """The three servers of one suite. Starts on entering, stops on leaving."""

    servers: Mapping[Kind, Server]
    way: str
    credentials: Credentials | None = None
    temporary: Path | None = None
    _started: list[Server] = field(default_factory=list)

    def __getitem__(self, kind: Kind) -> Server:
        return self.servers[kind]

    def url(self, kind: Kind) -> str:
        """Address of a server, with an administrator's credentials."""
        return self.servers[kind].url

    def start(self) -> None:
        """Start all three together and return when each answers; on failure none is left running."""
        try:
            # RabbitMQ boots longest, PostgreSQL's first start works in the foreground: in this order they overlap.
            for kind in (Kind.RABBITMQ, Kind.REDIS, Kind.POSTGRES):
                self._started.append(self.servers[kind])
                self.servers[kind].start()
            wait_until_ready(self.servers.values())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop what `start` started, and forget the data of throwaway servers."""
        while self._started:
            self._started.pop().stop()
        if self.temporary is not None:
            shutil.rmtree(self.temporary, ignore_errors=True)

    def ports(self) -> dict[str, int]:
        """The ports of the servers, to be given to `locate` next time."""
        ports = {str(kind): urlsplit(server.url).port for kind, server in self.servers.items()}
        return {kind: port for kind, port in ports.items() if port is not None}

    def identities(self) -> Sequence[tuple[str, Identity]]:
        """The local processes of the servers, each with a name."""
        return [named for server in self._started for named in server.identities().items()]

    def revive(self, notify: Callable[[str], None]) -> bool:
        """Start again what ended by itself, without waiting for it to answer. False when nothing had."""
        revived = False
        for server in self._started:
            try:
                server.check_alive()
            except StackError as error:
                notify(f"{str(error).splitlines()[0]} Starting it again.")
                server.start()
                revived = True
        return revived

    def __enter__(self) -> "Infrastructure":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def locate(
    *,
    directory: Path | None = None,
    credentials: Credentials | None = None,
    ports: PortPicker | None = None,
    remembered_ports: Mapping[str, int] | None = None,
    environment: Mapping[str, str] = os.environ,
    notify: Callable[[str], None] = lambda message: None,
) -> Infrastructure:
    """The servers of a suite, not started yet.

    Given addresses come first (POSTGRES_ADMIN_URL, RABBITMQ_URL, REDIS_URL, each for itself), then a Docker engine that
    answers and has the images at hand or can pull them, then private servers. COBRO_INFRA=urls|docker|private forces
    one way.

    Args:
        directory: where durable servers keep their data; None for servers that are thrown away at the end.
        remembered_ports: the ports of an earlier run, used again where they are free.
    """
    forced = environment.get("COBRO_INFRA", "")
    if forced and forced not in _WAYS:
        raise StackError(f"COBRO_INFRA is {forced!r}; it may be {', '.join(_WAYS)} or absent.")
    servers: dict[Kind, Server] = {}
    if forced in {"", "urls"}:
        servers |= {
            kind: ExternalServer(kind, environment[name])
            for kind, name in URL_VARIABLES.items()
            if environment.get(name)
        }
    missing = [kind for kind in Kind if kind not in servers]
    if not missing:
        return Infrastructure(servers, way="urls")
    if forced == "urls":
        raise StackError("COBRO_INFRA=urls, but not set: " + ", ".join(URL_VARIABLES[kind] for kind in missing))

    credentials = credentials or Credentials.random()
    ports = ports or PortPicker()
    if forced == "docker" or (not forced and docker.available(missing)):
        if forced and not docker.available(missing):
            raise StackError("COBRO_INFRA=docker, but no Docker engine answers that has or can pull the images.")
        docker.prune()
        owner = checkout_id(directory) if directory else new_id().hex
        for kind in missing:
            name = f"cobro-{owner}-{kind}"
            servers[kind] = docker.DockerServer(
                kind,
                credentials=credentials,
                port=ports.pick((remembered_ports or {}).get(kind)),
                name=name,
                volume=name if directory else None,
            )
        return Infrastructure(servers, way="docker", credentials=credentials)
    return _private(missing, servers, directory, credentials, ports, remembered_ports or {}, notify)


def _private(
    missing: list[Kind],
    given: Mapping[Kind, Server],
    directory: Path | None,
    credentials: Credentials,
    ports: PortPicker,
    remembered: Mapping[str, int],
    notify: Callable[[str], None],
) -> Infrastructure:
    binaries = find_or_install(notify)
    durable = directory is not None
    temporary = None
    if directory is None:
        temporary = directory = throwaway.make()

    def pick(name: str) -> int:
        return ports.pick(remembered.get(name))

    servers = dict(given)
    for kind in missing:
        match kind:
            case Kind.POSTGRES:
                servers[kind] = PrivatePostgres(
                    directory / "postgres",
                    port=pick("postgres"),
                    durable=durable,
                    user=credentials.user,
                    password=credentials.postgres,
                    binaries=binaries.postgres,
                )
            case Kind.RABBITMQ:
                servers[kind] = PrivateRabbitMQ(
                    directory / "rabbitmq",
                    port=pick("rabbitmq"),
                    distribution_port=ports.pick(),
                    epmd_port=ports.pick(),
                    durable=durable,
                    user=credentials.user,
                    password=credentials.rabbitmq,
                    script=binaries.rabbitmq,
                    epmd=binaries.epmd,
                )
            case Kind.REDIS:
                servers[kind] = PrivateRedis(
                    directory / "redis",
                    port=pick("redis"),
                    durable=durable,
                    password=credentials.redis,
                    binary=binaries.redis,
                )
    return Infrastructure(servers, way="private", credentials=credentials, temporary=temporary)
