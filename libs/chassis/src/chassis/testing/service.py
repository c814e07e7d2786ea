"""A service in the test's own process: its real application and database, reached through its public seams."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import httpx
from contracts.events import DomainEvent
from contracts.events.registry import EVENTS
from kernel import FixedClock, new_id
from sqlalchemy import select

from chassis.auth import Principal
from chassis.bus.received import Received
from chassis.cache import Cache, connect_redis
from chassis.database.migrations import upgrade
from chassis.database.plumbing import outbox
from chassis.database.provision import app_url, owner_url, provision
from chassis.http.app import create_app
from chassis.rpc.client import open_channel
from chassis.rpc.identity import ServiceIdentity
from chassis.rpc.server import RpcServer
from chassis.runtime.kit import Kit
from chassis.runtime.process import Build
from chassis.runtime.service import Service
from chassis.settings import ServiceSettings, load
from chassis.telemetry.logs import configure_logs
from chassis.tenancy import everyone, scope
from chassis.testing.barriers import SwitchedAccess, row_security_off
from chassis.testing.directory import FakeDirectory
from chassis.testing.sessions import FakeSessions
from chassis.testing.tokens import TokenFactory

COMMON = {
    "ENVIRONMENT": "test",
    "JWKS_URL": "http://127.0.0.1:1/.well-known/jwks.json",
    "SERVICE_AUTH_SECRET": "test-service-secret-of-32-characters!",
    "FIELD_ENCRYPTION_KEYS": "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY",
    "BLIND_INDEX_KEY": "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA",
}


class TestKit(Kit[Any]):
    """The service's kit with tokens of the test and a directory in memory; database and Redis are real."""

    __test__ = False

    def __init__(self, service: str, settings: ServiceSettings, directory: FakeDirectory, tokens: TokenFactory) -> None:
        super().__init__(service, settings, clock=FixedClock())
        self.__dict__["directory"] = directory
        self.__dict__["verifier"] = tokens.verifier()
        self.__dict__["session_source"] = FakeSessions()
        self.__dict__["access"] = SwitchedAccess(directory)


@dataclass
class ServiceUnderTest:
    kit: TestKit
    service: Service
    client: httpx.AsyncClient
    directory: FakeDirectory
    tokens: TokenFactory
    peers: ServiceIdentity
    owner_url: str | None = None
    _rpc: RpcServer | None = None
    _port: int = 0
    _channels: dict[str, grpc.aio.Channel] = field(default_factory=dict)

    @property
    def context(self) -> Any:
        return self.service.context

    @property
    def clock(self) -> FixedClock:
        assert isinstance(self.kit.clock, FixedClock)
        return self.kit.clock

    def as_(self, principal: Principal, **headers: str) -> dict[str, str]:
        """Headers of a request by this caller, of whom auth knows what the token says unless a test has said more."""
        self.directory.members.setdefault(principal.user_id, dict(principal.memberships))
        return {"Authorization": f"Bearer {self.tokens.issue(principal)}", **headers}

    async def published(self, event: type[DomainEvent] | None = None, *, aggregate_id: UUID | None = None) -> list[Any]:
        """Events in the outbox, oldest first."""
        statement = select(outbox.c.type, outbox.c.body).order_by(outbox.c.id)
        if event is not None:
            statement = statement.where(outbox.c.type == event.type)
        if aggregate_id is not None:
            statement = statement.where(outbox.c.aggregate_id == aggregate_id)
        with everyone():
            async with self.kit.database.read() as session:
                rows = (await session.execute(statement)).all()
        return [EVENTS[row.type].model_validate(row.body) for row in rows]

    async def deliver(self, queue: str, event: DomainEvent, *, id: UUID | None = None) -> UUID:
        """Hand an event to the queue's handler, as the bus would; give the id back to deliver it again."""
        consumer = next(item for item in self.service.consumers if item.queue == queue)
        received = Received(id or new_id(), queue, event, self.clock.now())
        with scope(received.scope):
            await consumer.handlers[type(event)](self.context, received)
        return received.id

    async def channel(self, caller: str | None = None) -> grpc.aio.Channel:
        """The channel to this service's own gRPC server, as another service, or the one of this name, would have it."""
        if self._rpc is None:
            self._rpc = RpcServer(self.kit.service, self.service.rpc, self.kit.identity)
            self._port = await self._rpc.start("127.0.0.1:0")
        if (caller or "") not in self._channels:
            secret = self.kit.common.service_auth_secret.get_secret_value()
            identity = self.peers if caller is None else ServiceIdentity(caller, secret)
            self._channels[caller or ""] = open_channel(self.kit.service, f"127.0.0.1:{self._port}", identity)
        return self._channels[caller or ""]

    @contextmanager
    def filters_off(self) -> Iterator[None]:
        """Within the block nobody is refused by `Access` and lists show all: row-level security alone decides."""
        access = self.kit.access
        assert isinstance(access, SwitchedAccess)
        with access.off():
            yield

    @asynccontextmanager
    async def row_security_off(self) -> AsyncIterator[None]:
        """Within the block PostgreSQL shows every row to everyone: the service's own filter alone decides."""
        assert self.owner_url is not None
        async with row_security_off(self.owner_url):
            yield

    async def close(self) -> None:
        for channel in self._channels.values():
            await channel.close()
        if self._rpc is not None:
            await self._rpc.stop(0)


@asynccontextmanager
async def running_service(
    name: str,
    settings_type: type[ServiceSettings],
    build: Build,
    *,
    migrations: Path | None,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[ServiceUnderTest]:
    """Provision and migrate a database for this service alone, build the service, and hand out its seams.

    Make one per test session (scope="session"): tests share it and keep apart by the ids they make.
    """
    configure_logs(name, "WARNING")  # in the JSON form of production: no tracebacks with the locals of a test
    variables = dict(COMMON)
    variables |= {"REDIS_URL": os.environ["TEST_REDIS_URL"], "RABBITMQ_URL": os.environ["TEST_RABBITMQ_URL"]}
    variables[f"{name.upper()}_HTTP_PORT"] = "1"
    if migrations is not None:
        variables |= await _migrated_database(name, migrations)
    variables |= environment or {}
    settings = _with_environment(settings_type, variables)
    directory, tokens = FakeDirectory(), TokenFactory()
    kit = TestKit(name, settings, directory, tokens)
    kit.__dict__["cache"] = Cache(connect_redis(variables["REDIS_URL"]), name)
    kit.on_close(kit.cache.close)
    service = await build(kit)
    app = service.asgi or create_app(
        name,
        context=service.context,
        verifier=kit.verifier,
        routers=service.routers,
        checks={},
        body_limit=service.body_limit,
        sessions=kit.session_check(service.session_source),
    )
    peers = ServiceIdentity("test", variables["SERVICE_AUTH_SECRET"])
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        owner = variables.get(f"{name.upper()}_MIGRATION_DATABASE_URL")
        under_test = ServiceUnderTest(kit, service, client, directory, tokens, peers, owner)
        try:
            yield under_test
        finally:
            await under_test.close()
            await kit.close()


async def _migrated_database(name: str, migrations: Path) -> dict[str, str]:
    admin = os.environ["TEST_POSTGRES_URL"]
    database = f"test_{name}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{secrets.token_hex(4)}"
    await provision(admin, database=database, services=[name], password=_password)
    owner = owner_url(admin, database, name, _password)
    await asyncio.to_thread(upgrade, migrations, owner)
    return {
        f"{name.upper()}_DATABASE_URL": app_url(admin, database, name, _password),
        f"{name.upper()}_MIGRATION_DATABASE_URL": owner,
    }


def _password(role: str) -> str:
    return f"{role}-of-the-tests"


def _with_environment(settings_type: type[ServiceSettings], variables: Mapping[str, str]) -> ServiceSettings:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        return load(settings_type)
    finally:
        os.environ.clear()
        os.environ.update(before)
