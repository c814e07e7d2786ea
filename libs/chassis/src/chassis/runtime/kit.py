"""What the chassis gives to one service process: the connections and helpers its composition root wires together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import cached_property
from typing import Generic, TypeVar

import grpc
from contracts.auth.v1 import directory_pb2_grpc
from kernel import Clock, SystemClock

from chassis.auth import Access, TokenVerifier
from chassis.auth.admission import AdmissionSeal
from chassis.auth.jwks import JwksClient
from chassis.cache import Cache, connect_redis
from chassis.crypto import BlindIndex, FieldCipher
from chassis.database.engine import Database
from chassis.database.idempotency import Idempotency
from chassis.directory import Directory
from chassis.rpc.client import open_channel
from chassis.rpc.identity import ServiceIdentity
from chassis.sessions import AuthSessions, CachedSessions, SessionCheck, SessionSource
from chassis.settings import ServiceSettings

SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


class Kit(Generic[SettingsT]):
    """Everything is made on first use and closed by `close()`, last made first. Create it inside the running loop."""

    def __init__(self, service: str, settings: SettingsT, *, clock: Clock | None = None) -> None:
        self.service = service
        self.settings = settings
        self.common = settings.common
        self.clock: Clock = clock or SystemClock()
        # Set when the process has been told to end: it should get no more work.
        self.draining = asyncio.Event()
        self._stack = AsyncExitStack()
        self._channels: dict[str, grpc.aio.Channel] = {}

    def on_close(self, close: Callable[[], Awaitable[object]]) -> None:
        self._stack.push_async_callback(close)

    @cached_property
    def database(self) -> Database:
        url = self.settings.database_url
        if url is None:
            raise RuntimeError(f"{self.service.upper()}_DATABASE_URL is not set")
        database = Database(
            url.get_secret_value(), service=self.service, pool_size=self.settings.db_pool_size, clock=self.clock
        )
        self.on_close(database.close)
        return database

    @cached_property
    def cache(self) -> Cache:
        cache = Cache(connect_redis(self.common.redis_url.get_secret_value()), self.service)
        self.on_close(cache.close)
        return cache

    @cached_property
    def identity(self) -> ServiceIdentity:
        return ServiceIdentity(self.service, self.common.service_auth_secret.get_secret_value())

    @cached_property
    def keys(self) -> JwksClient:
        return JwksClient(self.common.jwks_url)

    @cached_property
    def verifier(self) -> TokenVerifier:
        return TokenVerifier(self.keys, issuer=self.common.jwt_issuer, audience=self.common.jwt_audience)

    @cached_property
    def session_source(self) -> SessionSource:
        return CachedSessions(self.cache, AuthSessions(directory_pb2_grpc.SessionsStub(self.channel("auth"))))

    def session_check(self, source: SessionSource | None = None) -> SessionCheck:
        """source: who knows sessions, where it is not Redis and then auth over gRPC."""
        seal = AdmissionSeal(self.common.service_auth_secret.get_secret_value())
        return SessionCheck(seal, source or self.session_source)

    @cached_property
    def cipher(self) -> FieldCipher:
        return FieldCipher.parse(self.common.field_encryption_keys.get_secret_value())

    @cached_property
    def blind_index(self) -> BlindIndex:
        return BlindIndex.parse(self.common.blind_index_key.get_secret_value())

    @cached_property
    def idempotency(self) -> Idempotency:
        return Idempotency(self.database, self.cipher)

    @cached_property
    def directory(self) -> Directory:
        return Directory(directory_pb2_grpc.DirectoryStub(self.channel("auth")), self.cache)

    @cached_property
    def access(self) -> Access:
        return Access(self.directory)

    def channel(self, peer: str) -> grpc.aio.Channel:
        """The channel to another service, one per process."""
        if peer not in self._channels:
            channel = open_channel(peer, self.settings.peers.grpc_target(peer), self.identity)
            self._channels[peer] = channel
            self.on_close(lambda: channel.close())
        return self._channels[peer]

    async def close(self) -> None:
        await self._stack.aclose()
