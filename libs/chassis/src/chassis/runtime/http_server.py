"""The HTTP server of a process: uvicorn, and how it comes to an end without a failed request.

First it is a lame duck: it goes on accepting, and every answer asks its client to connect anew elsewhere. Then it
accepts no more, and lets go of each connection once nothing can be under way on it: of one that is kept open when it
has been idle for longer than the callers' pools keep theirs, of one that has said nothing yet after a moment.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import uvicorn

_CLOSE: Final = (b"connection", b"close")
# Between a connection and the first bytes on it, for a client that is not merely holding it in reserve.
_SILENT_SECONDS: Final = 1.0
_LOOK_EVERY: Final = 0.05


class HttpServer(uvicorn.Server):
    """pools_keep: seconds after which nobody uses a kept connection any more. The process handles signals."""

    def __init__(self, config: uvicorn.Config, *, pools_keep: float) -> None:
        super().__init__(config)
        self._pools_keep = pools_keep
        self._silence = min(_SILENT_SECONDS, pools_keep)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def be_lame_duck(self) -> None:
        """Ask for a new connection with every answer from now on."""
        # In place: requests in hand hold this very list, and once a second it is made anew from the other.
        self.server_state.default_headers.append(_CLOSE)
        self.config.encoded_headers.append(_CLOSE)

    def hurry(self) -> None:
        """Wait for requests in hand, and for nothing that might still come."""
        self._pools_keep = self._silence = 0

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        now = asyncio.get_running_loop().time
        closed_at = now()
        grace = self.config.timeout_graceful_shutdown or 0
        while self.server_state.connections and now() - closed_at < grace:
            for connection in list(self.server_state.connections):
                if self._at_rest(connection, now(), closed_at):
                    connection.shutdown()
            await asyncio.sleep(_LOOK_EVERY)
        for task in self.server_state.tasks:
            task.cancel()
        await asyncio.gather(*self.server_state.tasks, return_exceptions=True)

    def _at_rest(self, connection: Any, now: float, closed_at: float) -> bool:
        if connection.cycle is None:
            return now - closed_at >= self._silence
        idle = connection.timeout_keep_alive_task
        if idle is None:  # a request is being answered, or arriving
            return False
        return bool(now - (idle.when() - connection.timeout_keep_alive) >= self._pools_keep)
