"""Free TCP ports below the ephemeral range.

A client that keeps connecting to a dead local port inside the ephemeral range can end up connected to itself, after
which the server that should listen there cannot bind: so servers never get a port from it.
"""

import random
import socket
from collections.abc import Iterable
from pathlib import Path

from stack.errors import StackError

LOWEST = 10_000
EPHEMERAL_START = 32_768
_RANGE_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def ephemeral_start(range_file: Path = _RANGE_FILE) -> int:
    """The first port the kernel may give to a client, at most 32768."""
    try:
        first = int(range_file.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return EPHEMERAL_START
    # A machine whose clients use nearly every port leaves no safe range; the usual one is then as good as any.
    return min(first, EPHEMERAL_START) if first > LOWEST + 1_000 else EPHEMERAL_START


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback interface now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Servers set this too: without it, a port whose last connections are in TIME_WAIT would look taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class PortPicker:
    """Hands out free ports, none of them twice."""

    def __init__(self, taken: Iterable[int] = (), *, generator: random.Random | None = None) -> None:
        self._taken = set(taken)
        self._generator = generator or random.SystemRandom()
        self._upper = ephemeral_start()

    def pick(self, preferred: int | None = None) -> int:
        """`preferred` when it is free, otherwise a random free port below the ephemeral range.

        Random, because several suites start at the same time on one machine and must not race for the same number.
        """
        if preferred is not None and preferred not in self._taken and is_free(preferred):
            self._taken.add(preferred)
            return preferred
        for _ in range(1_000):
            candidate = self._generator.randrange(LOWEST, self._upper)
            if candidate not in self._taken and is_free(candidate):
                self._taken.add(candidate)
                return candidate
        raise StackError(f"No free TCP port was found between {LOWEST} and {self._upper - 1}.")
