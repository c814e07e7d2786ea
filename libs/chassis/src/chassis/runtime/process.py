"""One process: HTTP, gRPC, consumers, relay and jobs in one loop, started and stopped in order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from chassis.bus.consumer import ConsumerRunner
from chassis.bus.relay import Relay
from chassis.http.app import create_app
from chassis.rpc.server import RpcServer
from chassis.runtime.jobs import Job, run_forever
from chassis.runtime.kit import Kit
from chassis.runtime.plumbing import plumbing_jobs, plumbing_rpc
from chassis.runtime.service import Service
from chassis.settings import ServiceSettings
from chassis.telemetry.logs import get_logger

log = get_logger(__name__)

_HTTP_GRACE = 10
_RPC_GRACE = 10.0
_LOOP_GRACE = 30.0
_KEYS_EVERY = 5.0


class Mode(StrEnum):
    SERVE = "serve"
    WORKER = "worker"
    ALL = "all"


class LoopDied(Exception):
    """A loop that must run forever ended: the process gives up, and its supervisor starts it again."""


class _Server(uvicorn.Server):
    """The process handles signals, not the HTTP server."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Process:
    """`await run()` serves until SIGTERM or SIGINT, or until a loop dies (LoopDied)."""

    def __init__(self, kit: Kit[Any], service: Service, mode: Mode) -> None:
        self._kit = kit
        self._service = service
        self._mode = mode
        self._stop = asyncio.Event()
        self._jobs_stop = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._failure: LoopDied | None = None
        self._relay: Relay | None = None
        self._consumers: list[ConsumerRunner] = []

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        http = self._http_server()
        rpc = await self._start_rpc()
        self._start_loops()
        self._supervise("http", http.serve())
        log.info("process.started", mode=self._mode.value, http_port=self._kit.settings.http_port)
        await self._stop.wait()
        log.info("process.stopping")
        await self._shut_down(http, rpc)
        if self._failure is not None:
            raise self._failure

    def _supervise(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks[name] = task

        def ended(done: asyncio.Task[None]) -> None:
            if self._stop.is_set():
                return
            error = None if done.cancelled() else done.exception()
            log.critical("process.loop_died", loop=name, exc_info=error)
            self._failure = LoopDied(name)
            self._stop.set()

        task.add_done_callback(ended)

    def _http_server(self) -> _Server:
        settings = self._kit.settings
        app: ASGIApp | None = self._service.asgi
        if app is None:
            checks = dict(self._service.checks)
            if settings.database_url is not None:
                checks.setdefault("database", self._kit.database.ping)
            app = create_app(
                self._kit.service,
                context=self._service.context,
                verifier=self._kit.verifier,
                routers=self._service.routers if self._mode is not Mode.WORKER else (),
                checks=checks,
                body_limit=self._service.body_limit,
                sessions=self._kit.session_check(self._service.session_source),
            )
        config = uvicorn.Config(
            app,
            host=settings.http_host,
            port=settings.http_port,
            loop="none",
            http=self._service.http_protocol or "httptools",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=_HTTP_GRACE,
            h11_max_incomplete_event_size=64 * 1024,
        )
        return _Server(config)

    async def _start_rpc(self) -> RpcServer | None:
        port = self._kit.settings.grpc_port
        if port is None or self._mode is Mode.WORKER:
            return None
        services = list(self._service.rpc)
        if self._kit.settings.database_url is not None:
            services.append(plumbing_rpc(self._kit.database))
        server = RpcServer(self._kit.service, services, self._kit.identity)
        await server.start(f"{self._kit.settings.http_host}:{port}")
        return server

    def _start_loops(self) -> None:
        kit, common = self._kit, self._kit.common
        database = kit.database if kit.settings.database_url is not None else None
        url = common.rabbitmq_url.get_secret_value()
        jobs = list(self._service.jobs)
        if database is not None:
            self._relay = Relay(database, url, kit.service)
            self._supervise("relay", self._relay.run())
            jobs += plumbing_jobs(kit, self._relay)
        if self._mode is not Mode.WORKER:
            keys = Job("token-keys", _KEYS_EVERY, kit.keys.keep_fresh, exclusive=False)
            self._supervise("job token-keys", run_forever(keys, None, kit.service, self._jobs_stop))
        if self._mode is Mode.SERVE:
            return
        for consumer in self._service.consumers:
            runner = ConsumerRunner(
                consumer,
                url=url,
                context=self._service.context,
                database=database,
                ladder_rungs=len(common.bus_retry_ladder),
            )
            self._consumers.append(runner)
            self._supervise(f"consumer {consumer.queue}", runner.run())
        for job in jobs:
            self._supervise(f"job {job.name}", run_forever(job, database, kit.service, self._jobs_stop))

    async def _shut_down(self, http: _Server, rpc: RpcServer | None) -> None:
        """No new work, then what is in hand, then the events it wrote."""
        http.should_exit = True
        await self._ended(["http"])
        if rpc is not None:
            await rpc.stop(_RPC_GRACE)
        self._jobs_stop.set()
        for runner in self._consumers:
            runner.stop()
        await self._ended([name for name in self._tasks if name not in {"http", "relay"}])
        if self._relay is not None:
            self._relay.stop()
            await self._ended(["relay"])

    async def _ended(self, names: list[str]) -> None:
        tasks = [self._tasks[name] for name in names]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=_LOOP_GRACE)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


Build = Callable[[Kit[Any]], Awaitable[Service]]


async def run_process(name: str, settings: ServiceSettings, build: Build, mode: Mode) -> None:
    kit = Kit(name, settings)
    try:
        await Process(kit, await build(kit), mode).run()
    finally:
        await kit.close()
