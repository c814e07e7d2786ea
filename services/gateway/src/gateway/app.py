"""The composition root of the gateway: no database, no gRPC server, one ASGI application."""

from __future__ import annotations

from chassis.auth.admission import AdmissionSeal
from chassis.runtime import Kit, Service
from chassis.telemetry.access import AccessLog
from contracts.auth.v1 import directory_pb2_grpc

from gateway.admission.service import Admission
from gateway.admission.sessions import AuthSessions, Sessions
from gateway.admission.store import AdmissionStore
from gateway.edge.application import Gateway
from gateway.edge.client_address import ClientAddresses
from gateway.edge.cors import Cors
from gateway.edge.pages import Pages
from gateway.edge.protocol import EdgeProtocol
from gateway.edge.trace import Tracer
from gateway.health.status import SuiteStatus
from gateway.openapi.service import MergedOpenApi
from gateway.proxy.forward import Forwarder, Timeouts
from gateway.proxy.upstream import Upstream
from gateway.routing.table import UPSTREAMS
from gateway.settings import GatewaySettings

# Seconds, where services do not drain; they close an idle connection after 75.
_KEEP_IDLE = 30.0


async def build(kit: Kit[GatewaySettings]) -> Service:
    settings = kit.settings
    upstreams = {name: _upstream(kit, name) for name in UPSTREAMS}
    sessions = Sessions(AuthSessions(directory_pb2_grpc.SessionsStub(kit.channel("auth"))))
    store = AdmissionStore(kit.common.redis_url.get_secret_value())
    kit.on_close(store.close)
    admission = Admission(store, sessions, settings.limits, kit.blind_index)
    gateway = Gateway(
        upstreams=upstreams,
        verifier=kit.verifier,
        admission=admission,
        seal=AdmissionSeal(kit.common.service_auth_secret.get_secret_value()),
        forwarder=Forwarder(
            Timeouts(settings.upstream_timeout, settings.upstream_slow_timeout, settings.client_idle_timeout)
        ),
        pages=Pages(
            openapi=MergedOpenApi(upstreams),
            status=SuiteStatus(upstreams),
            checks={"redis": store.ping},
            metrics_networks=settings.metrics_networks,
            draining=kit.draining.is_set,
        ),
        addresses=ClientAddresses(settings.trusted_proxies),
        cors=Cors(settings.cors_origins),
        tracer=Tracer(recording=settings.common.otel_exporter_otlp_endpoint is not None),
        access_log=AccessLog(kit.service),
        strict_transport=settings.common.public_url.startswith("https://"),
    )
    return Service(context=None, asgi=gateway, http_protocol=EdgeProtocol)


def _upstream(kit: Kit[GatewaySettings], name: str) -> Upstream:
    settings = kit.settings
    upstream = Upstream(
        name,
        settings.peers.http_url(name),
        max_connections=settings.upstream_connections,
        connect_timeout=settings.upstream_connect_timeout,
        # A service that ends holds connections open for longer than this, so that no request meets their close.
        keep_idle=settings.common.drain_seconds / 2 or _KEEP_IDLE,
    )

    async def close() -> None:
        upstream.close()

    kit.on_close(close)
    return upstream
