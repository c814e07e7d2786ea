"""What another terminal may ask of a running suite, over a socket in its data folder: `rollout SERVICE`.

One line asks, and the answer comes when it is done: "ok", or why not.
"""

import contextlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stack.errors import StackError

_NAME = "control.sock"
_LONGEST = 200
_ASK_SECONDS = 2.0


class Control:
    """The running suite's end. Only the user it runs as can reach it."""

    def __init__(self, data: Path) -> None:
        (data / _NAME).unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        with _short(data) as address:
            before = os.umask(0o177)
            try:
                self._socket.bind(address)
            finally:
                os.umask(before)
        self._socket.listen()
        self._file = data / _NAME

    def next(self) -> "Request | None":
        """A question that has come, without waiting for one."""
        try:
            connection, _ = self._socket.accept()
        except BlockingIOError:
            return None
        connection.settimeout(_ASK_SECONDS)
        try:
            return Request(connection, connection.recv(_LONGEST).decode(errors="replace").split())
        except OSError:
            connection.close()
            return None

    def close(self) -> None:
        """Nobody can ask any more."""
        self._socket.close()
        self._file.unlink(missing_ok=True)


class Request:
    """One question: `words`. It must be answered."""

    def __init__(self, connection: socket.socket, words: list[str]) -> None:
        self.words = words
        self._connection = connection

    def answer(self, text: str) -> None:
        """Whoever asked may have gone."""
        with contextlib.suppress(OSError), self._connection as connection:
            connection.sendall(text.encode())


def ask(data: Path, *words: str, timeout: float) -> None:
    """Ask a running suite to do something, and wait until it is done. StackError when it could not be."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout)
        try:
            with _short(data) as address:
                connection.connect(address)
            connection.sendall(" ".join(words).encode())
            answer = b"".join(iter(lambda: connection.recv(65_536), b"")).decode(errors="replace")
        except TimeoutError:
            raise StackError(f"No answer within {timeout:.0f} s.") from None
        except OSError as error:
            raise StackError(f"The running suite cannot be asked: {error}") from None
    if answer != "ok":
        raise StackError(answer or "The suite ended before it had answered.")


@contextmanager
def _short(data: Path) -> Iterator[str]:
    """A path to the socket of any length in the 107 bytes that its address may have."""
    folder = os.open(data, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{_NAME}"
    finally:
        os.close(folder)
