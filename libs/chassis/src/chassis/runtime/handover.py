"""What a service manager hands to a process and hears from it: systemd's protocols, which `python -m stack` speaks.

sd_listen_fds(3): an open listening socket as file descriptor 3, announced by LISTEN_FDS and LISTEN_PID. Two processes
can so serve one port, and while one takes over from the other no connection is refused or lost.
sd_notify(3): datagrams to NOTIFY_SOCKET, which say that this very process is ready, whoever else answers on its port.
"""

from __future__ import annotations

import os
import socket
from typing import Final

_FIRST_DESCRIPTOR: Final = 3
READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"
_LISTENS: Final = "NOTIFY_SOCKET"


def inherited_listener() -> socket.socket | None:
    """The listening socket this process was given; None when it has to open one. Only the first call finds it."""
    if os.environ.pop("LISTEN_PID", "") != str(os.getpid()):
        return None
    if os.environ.pop("LISTEN_FDS", "") != "1":
        raise RuntimeError("LISTEN_FDS must be 1: a service listens on one HTTP socket")
    os.set_inheritable(_FIRST_DESCRIPTOR, False)
    return socket.socket(fileno=_FIRST_DESCRIPTOR)


def notify(state: str) -> None:
    """Tell the service manager, if there is one that listens."""
    address = os.environ.get(_LISTENS, "")
    if not address:
        return
    if address.startswith("@"):  # in the abstract namespace
        address = f"\0{address[1:]}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        try:
            sender.sendto(state.encode(), address)
        except OSError:  # a manager that has gone must not take the service with it
            return
