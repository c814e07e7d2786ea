"""A process beside this one for building and signing: off the event loop, and out of our memory.

lxml, schemas and catalogues take up to 150 MiB. They are loaded there with the first document and given back when
nothing has been built for a minute. The process is a child on a pipe: it ends with its parent, whatever becomes of it.

    prepared = await workshop.run("fiscal.mx.document:build", draft, key)

A function is named by module and name, takes and returns what can be pickled, and is pure. FiscalError passes through;
any other exception comes back as WorkshopFailed with its type alone, for its text may quote a buyer or a key.
"""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import struct
import sys
from importlib import import_module
from typing import Any, BinaryIO, Final

from fiscal.errors import FiscalError, WorkshopFailed

_HEADER: Final = struct.Struct("!I")
_IDLE_SECONDS: Final = 60.0
_TIMEOUT_SECONDS: Final = 30.0


class Workshop:
    """One child process at most, started by the first job; jobs take turns. Close it at the end."""

    def __init__(self, *, idle_seconds: float = _IDLE_SECONDS, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._timeout_seconds = timeout_seconds
        self._turn = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, function: str, *arguments: Any) -> Any:
        """Raises what the function raises of FiscalError, else WorkshopFailed."""
        async with self._turn:
            if self._timer is not None:
                self._timer.cancel()
            try:
                async with asyncio.timeout(self._timeout_seconds):
                    ok, value = await self._exchange(pickle.dumps((function, arguments)))
            except (TimeoutError, OSError, EOFError, pickle.UnpicklingError) as error:
                await self._end()
                raise WorkshopFailed(type(error).__name__) from None
            except BaseException:
                # An answer that nobody waits for must not be read as the next one's.
                await self._end()
                raise
            self._timer = asyncio.get_running_loop().call_later(self._idle_seconds, self._idle)
        if ok:
            return value
        raise value

    async def close(self) -> None:
        async with self._turn:
            await self._end()

    @property
    def pid(self) -> int | None:
        """Of the child, while there is one."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def _exchange(self, request: bytes) -> tuple[bool, Any]:
        process = self._process
        if process is None or process.returncode is not None:
            # -P: what the function needs is installed, and nothing is picked up from where we happen to be.
            process = self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "fiscal.workshop",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(_HEADER.pack(len(request)) + request)
        await process.stdin.drain()
        (size,) = _HEADER.unpack(await process.stdout.readexactly(_HEADER.size))
        answer: tuple[bool, Any] = pickle.loads(await process.stdout.readexactly(size))  # noqa: S301 - our own child
        return answer

    def _idle(self) -> None:
        if not self._turn.locked() and self._process is not None and self._process.stdin is not None:
            # It reads the end of its input and leaves; the next job starts another.
            self._process.stdin.close()
            self._process = None

    async def _end(self) -> None:
        process, self._process = self._process, None
        if self._timer is not None:
            self._timer.cancel()
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    while header := requests.read(_HEADER.size):
        (size,) = _HEADER.unpack(header)
        function, arguments = pickle.loads(requests.read(size))  # noqa: S301 - from our own parent
        answer = pickle.dumps(_called(function, arguments))
        answers.write(_HEADER.pack(len(answer)) + answer)
        answers.flush()


def _called(function: str, arguments: tuple[Any, ...]) -> tuple[bool, Any]:
    module, _, name = function.partition(":")
    try:
        return True, getattr(import_module(module), name)(*arguments)
    except FiscalError as error:
        return False, error
    except Exception as error:  # noqa: BLE001 - told to the parent by its type
        return False, WorkshopFailed(type(error).__name__)


if __name__ == "__main__":
    # What a library prints must not get between our answers.
    answers, sys.stdout = sys.stdout.buffer, sys.stderr
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        _serve(sys.stdin.buffer, answers)
