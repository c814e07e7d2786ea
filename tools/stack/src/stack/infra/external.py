"""A server that somebody else runs: used, never started, stopped or harmed."""

from collections.abc import Mapping

from stack.errors import StackError
from stack.infra.server import Kind
from stack.processes import Identity


class ExternalServer:
    """A server known by its address only."""

    def __init__(self, kind: Kind, url: str) -> None:
        self.kind = kind
        self.url = url

    def start(self) -> None:
        """Nothing: it runs already."""

    def check_alive(self) -> None:
        """Nothing: there is no process here to look at."""

    def stop(self) -> None:
        """Nothing: it was not started here."""

    def kill(self) -> None:
        """Refused."""
        self._refuse()

    def pause(self) -> None:
        """Refused."""
        self._refuse()

    def resume(self) -> None:
        """Refused."""
        self._refuse()

    def identities(self) -> Mapping[str, Identity]:
        """None: it runs elsewhere."""
        return {}

    def _refuse(self) -> None:
        raise StackError(f"The {self.kind} server was given by its address and was not started here: it is left alone.")
