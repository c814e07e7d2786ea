"""What the rest of the tool may ask of a server, whoever runs it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

from stack.processes import Identity


class Kind(StrEnum):
    """The three servers Cobro stands on."""

    POSTGRES = "postgres"
    RABBITMQ = "rabbitmq"
    REDIS = "redis"


class Server(Protocol):
    """One server."""

    kind: Kind

    @property
    def url(self) -> str:
        """Address with an administrator's credentials; the same after a restart."""

    def start(self) -> None:
        """Launch it and return at once; nothing happens when it runs already. StackError when it cannot be launched."""

    def check_alive(self) -> None:
        """StackError with the end of its log when it ended by itself."""

    def stop(self) -> None:
        """Ask it to end, wait a bounded time, then make it end."""

    def kill(self) -> None:
        """End it at once, as a power cut would."""

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing answers."""

    def resume(self) -> None:
        """Undo `pause`."""

    def identities(self) -> Mapping[str, Identity]:
        """The local processes that belong to it, by name; empty when it runs elsewhere."""
