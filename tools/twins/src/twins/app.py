"""The one composition root: every twin in one application on one port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse
from pydantic import SecretStr

import twins
import twins.authorities
from twins.authorities.base import Authority
from twins.faults import FaultPlan
from twins.fcm.routes import fcm_router
from twins.mailbox.server import mail_server
from twins.outbox.messages import MESSAGE, Outbox
from twins.outbox.routes import outbox_router
from twins.pages import page, text
from twins.provider.book import Book
from twins.provider.control import faults_routes
from twins.provider.twin import Twin
from twins.reports import Reports
from twins.sendgrid.reports import EventWebhook
from twins.sendgrid.routes import sendgrid_router
from twins.settings import TwinsSettings
from twins.store import Store
from twins.twilio.routes import twilio_router
from twins.vonage.routes import vonage_router

_SWEEP_SECONDS = 0.5


def create_app(settings: TwinsSettings) -> FastAPI:
    store = Store(settings.data_dir / "twins.sqlite3" if settings.data_dir else None)
    providers = [build(settings, store) for build in _builders()]
    authorities = [build(settings, store) for build in _authority_builders()]
    plans = {name: FaultPlan() for name in ("twilio", "vonage", "sendgrid", "smtp", "fcm")}
    reports = Reports(settings.time_scale, posting=settings.message_reports)
    outbox = Outbox(store)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        work = [asyncio.create_task(twin.deliveries.run()) for twin in providers]
        work.append(asyncio.create_task(_sweep([twin.book for twin in providers])))
        try:
            async with mail_server(outbox, plans["smtp"], settings.http_host, settings.smtp_port):
                yield
        finally:
            await reports.close()
            for task in work:
                task.cancel()
            for task in work:
                with suppress(asyncio.CancelledError):
                    await task
            store.close()

    app = FastAPI(title="Cobro twins", lifespan=lifespan, docs_url="/_control/docs", redoc_url=None)
    for twin in providers:
        for router in twin.routers:
            app.include_router(router)
    app.include_router(
        twilio_router(outbox, plans["twilio"], settings.twilio_account_sid, _plain(settings.twilio_auth_token), reports)
    )
    app.include_router(
        vonage_router(outbox, plans["vonage"], settings.vonage_api_key, _plain(settings.vonage_api_secret))
    )
    app.include_router(
        sendgrid_router(outbox, plans["sendgrid"], _plain(settings.sendgrid_api_key), reports, _events(settings))
    )
    app.include_router(fcm_router(outbox, plans["fcm"], _plain(settings.fcm_private_key)))
    app.include_router(outbox_router(outbox))
    for authority in authorities:
        for router in authority.routers:
            app.include_router(router)
    app.include_router(_common(store, providers, authorities, plans))
    return app


def _builders() -> list[Callable[[TwinsSettings, Store], Twin]]:
    """Of every payment provider there is: each folder beside this module that holds a `twin` with a `build`."""
    names = sorted(module.name for module in iter_modules(twins.__path__) if module.ispkg)
    found = [import_module(f"twins.{name}.twin") for name in names if find_spec(f"twins.{name}.twin")]
    return [module.build for module in found if hasattr(module, "build")]


def _authority_builders() -> list[Callable[[TwinsSettings, Store], Authority]]:
    """Of every tax authority there is: each folder of `twins.authorities` that holds a `twin` with a `build`."""
    names = sorted(module.name for module in iter_modules(twins.authorities.__path__) if module.ispkg)
    modules = [f"twins.authorities.{name}.twin" for name in names]
    return [import_module(module).build for module in modules if find_spec(module)]


def _common(
    store: Store, providers: Sequence[Twin], authorities: Sequence[Authority], plans: dict[str, FaultPlan]
) -> APIRouter:
    router = APIRouter()

    for name, plan in plans.items():
        control = APIRouter(prefix=f"/_control/{name}", tags=[name])
        faults_routes(control, plan)
        router.include_router(control)

    @router.post("/_control/reset", status_code=204)
    async def reset() -> None:
        """Forget payments, events, messages and faults; keep the signing keys."""
        for plan in plans.values():
            plan.clear()
        store.clear(MESSAGE)
        for twin in providers:
            twin.faults.clear()
            store.clear(*twin.kinds)
            twin.forget()
        for authority in authorities:
            authority.faults.clear()
            store.clear(*authority.kinds)

    @router.get("/health/live")
    @router.get("/health/ready")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/", include_in_schema=False)
    async def home() -> HTMLResponse:
        links = "".join(
            f'<li><a href="/{twin.name}/pagos">Pagos de {text(twin.title)}</a>: pagar, rechazar o dejar vencer</li>'
            for twin in providers
        )
        return page(
            "Gemelos",
            f"<h1>Gemelos de los sistemas externos</h1><ul>{links}"
            '<li><a href="/outbox">Bandeja de salida</a>: los SMS, correos y avisos enviados</li></ul>',
        )

    return router


def _plain(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _events(settings: TwinsSettings) -> EventWebhook | None:
    key = _plain(settings.sendgrid_private_key)
    return EventWebhook(settings.sendgrid_webhook_url, key) if key and settings.sendgrid_webhook_url else None


async def _sweep(books: Sequence[Book]) -> None:
    """Payments whose time is over expire, as at their providers, without anybody asking."""
    while True:
        for book in books:
            book.expire_due()
        await asyncio.sleep(_SWEEP_SECONDS)
