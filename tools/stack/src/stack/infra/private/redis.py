"""A private Redis. It only caches, so its memory is bounded and what expires soonest goes first."""

from collections.abc import Sequence
from pathlib import Path

from stack.infra.private.base import PrivateServer
from stack.infra.server import Kind


class PrivateRedis(PrivateServer):
    """`redis-server` with a password, on the loopback interface."""

    kind = Kind.REDIS

    def __init__(
        self, directory: Path, *, port: int, durable: bool, password: str, binary: Path, log: Path | None = None
    ) -> None:
        super().__init__(directory, port=port, durable=durable, log=log)
        self._password = password
        self._binary = binary

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def prepare(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        configuration = self.directory / "redis.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            "\n".join(
                (
                    "bind 127.0.0.1",
                    f"port {self.port}",
                    f"requirepass {self._password}",
                    f'dir "{self.directory}"',
                    "daemonize no",
                    'save ""',
                    f"appendonly {'yes' if self.durable else 'no'}",
                    "appendfsync everysec",
                    "maxmemory 128mb",
                    "maxmemory-policy volatile-ttl",
                    "maxclients 2000",
                    "",
                )
            )
        )

    def argv(self) -> Sequence[str]:
        return (str(self._binary), str(self.directory / "redis.conf"))
