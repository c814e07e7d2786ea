"""One process: HTTP, gRPC, consumers, relay and jobs in one loop, started and stopped in order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from enum import StrEnum
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from chassis.bus.consumer import ConsumerRunner
from chassis.bus.relay import Relay
from chassis.http.app import create_app
from chassis.http.health import Check, passes
from chassis.rpc.server import RpcServer
from chassis.runtime.handover import READY, STOPPING, inherited_listener, notify
from chassis.runtime.http_server import HttpServer
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
_READY_EVERY = 0.1


class Mode(StrEnum):
    SERVE = "serve"
    WORKER = "worker"
    ALL = "all"


class LoopDied(Exception):
    """A loop that must run forever ended: the process gives up, and its supervisor starts it again."""


class Process:
    """`await run()` serves until it is told to end, or until a loop dies (LoopDied).

    SIGTERM: readiness says no and clients are sent elsewhere for DRAIN_SECONDS before anything closes. SIGINT, or a
    second signal: what is in hand is finished, and nobody else is waited for.
    """

    def __init__(self, kit: Kit[Any], service: Service, mode: Mode) -> None:
        self._kit = kit
        self._service = service
        self._mode = mode
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._jobs_stop = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._failure: LoopDied | None = None
        self._relay: Relay | None = None
        self._consumers: list[ConsumerRunner] = []
        self._checks: dict[str, Check] = dict(service.checks)
        if kit.settings.database_url is not None:
            self._checks.setdefault("database", kit.database.ping)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told_to_end, number)
        listener = inherited_listener()
        http = self._http_server()
        rpc = await self._start_rpc()
        self._start_loops()
        self._supervise("http", http.serve(sockets=None if listener is None else [listener]))
        log.info("process.started", mode=self._mode.value, http_port=self._kit.settings.http_port)
        announcing = asyncio.create_task(self._announce_readiness(http))
        await self._stop.wait()
        announcing.cancel()
        notify(STOPPING)
        log.info("process.stopping")
        await self._drain(http, rpc)
        await self._shut_down(http, rpc)
        if self._failure is not None:
            raise self._failure

    def _told_to_end(self, number: signal.Signals) -> None:
        if self._stop.is_set() or number == signal.SIGINT:
            self._hurry.set()
        self._stop.set()

    async def _announce_readiness(self, http: HttpServer) -> None:
        while True:
            if http.started and all(await asyncio.gather(*map(passes, self._checks.values()))):
                notify(READY)
                return
            await asyncio.sleep(_READY_EVERY)

    async def _drain(self, http: HttpServer, rpc: RpcServer | None) -> None:
        """Send everybody elsewhere, and give them the time to go."""
        self._kit.draining.set()
        http.be_lame_duck()
        if rpc is not None:
            await rpc.stop_announcing()
        if self._failure is not None:
            self._hurry.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._kit.common.drain_seconds):
                await self._hurry.wait()
        if self._hurry.is_set():
            http.hurry()

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

    def _http_server(self) -> HttpServer:
        settings = self._kit.settings
        app: ASGIApp | None = self._service.asgi
        if app is None:
            app = create_app(
                self._kit.service,
                context=self._service.context,
                verifier=self._kit.verifier,
                routers=self._service.routers if self._mode is not Mode.WORKER else (),
                checks={**self._checks, "accepting": self._accepting},
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
        return HttpServer(config, pools_keep=self._kit.common.drain_seconds)

    async def _accepting(self) -> bool:
        return not self._kit.draining.is_set()

    async def _start_rpc(self) -> RpcServer | None:
        port = self._kit.settings.grpc_port
        if port is None or self._mode is Mode.WORKER:
            return None
        services = list(self._service.rpc)
        if self._kit.settings.database_url is not None:
            services.append(plumbing_rpc(self._kit.database))
        server = RpcServer(
            self._kit.service, services, self._kit.identity, shared_port=self._kit.common.rpc_port_shared
        )
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

    async def _shut_down(self, http: HttpServer, rpc: RpcServer | None) -> None:
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
