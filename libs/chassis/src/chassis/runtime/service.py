"""A service as its composition root describes it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter
from starlette.types import ASGIApp

from chassis.bus.consumer import Consumer
from chassis.http.health import Check
from chassis.http.middleware import BODY_LIMIT, BodyLimits
from chassis.reencryption import Outcome, Place
from chassis.rpc.server import RpcService
from chassis.runtime.jobs import Job
from chassis.sessions import SessionSource


@dataclass(frozen=True, slots=True)
class Service:
    """context: what routes and consumers work with. asgi: an application of one's own instead of routers.
    http_protocol: uvicorn's protocol class, where the service meets clients that must be limited.
    session_source: who knows whether a session holds, where it is not Redis and then auth over gRPC.
    sealed: where it keeps encrypted values, for the command re-encrypt; on_reencrypted is told when that has ended."""

    context: object
    routers: Sequence[APIRouter] = ()
    rpc: Sequence[RpcService] = ()
    consumers: Sequence[Consumer] = ()
    jobs: Sequence[Job] = ()
    checks: Mapping[str, Check] = field(default_factory=dict)
    body_limit: int | BodyLimits = BODY_LIMIT
    asgi: ASGIApp | None = None
    http_protocol: type[asyncio.Protocol] | None = None
    session_source: SessionSource | None = None
    sealed: Sequence[Place] = ()
    on_reencrypted: Callable[[Outcome], Awaitable[None]] | None = None
