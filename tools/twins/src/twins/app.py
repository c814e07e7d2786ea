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

import twins
from twins.faults import FaultPlan
from twins.outbox.messages import MESSAGE, Outbox
from twins.outbox.routes import outbox_router
from twins.pages import page, text
from twins.provider.book import Book
from twins.provider.control import faults_routes
from twins.provider.twin import Twin
from twins.sendgrid.routes import sendgrid_router
from twins.settings import TwinsSettings
from twins.store import Store
from twins.twilio.routes import twilio_router

_SWEEP_SECONDS = 0.5


def create_app(settings: TwinsSettings) -> FastAPI:
    store = Store(settings.data_dir / "twins.sqlite3" if settings.data_dir else None)
    providers = [build(settings, store) for build in _builders()]
    plans = {"twilio": FaultPlan(), "sendgrid": FaultPlan()}
    outbox = Outbox(store)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        work = [asyncio.create_task(twin.deliveries.run()) for twin in providers]
        work.append(asyncio.create_task(_sweep([twin.book for twin in providers])))
        try:
            yield
        finally:
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
    app.include_router(twilio_router(outbox, plans["twilio"], settings.twilio_account_sid, _secret(settings)))
    sendgrid_key = settings.sendgrid_api_key
    app.include_router(
        sendgrid_router(outbox, plans["sendgrid"], sendgrid_key.get_secret_value() if sendgrid_key else None)
    )
    app.include_router(outbox_router(outbox))
    app.include_router(_common(store, providers, plans))
    return app


def _builders() -> list[Callable[[TwinsSettings, Store], Twin]]:
    """Of every payment provider there is: each folder beside this module that holds a `twin` with a `build`."""
    names = sorted(module.name for module in iter_modules(twins.__path__) if module.ispkg)
    found = [import_module(f"twins.{name}.twin") for name in names if find_spec(f"twins.{name}.twin")]
    return [module.build for module in found if hasattr(module, "build")]


def _common(store: Store, providers: Sequence[Twin], plans: dict[str, FaultPlan]) -> APIRouter:
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
            '<li><a href="/outbox">Bandeja de salida</a>: los SMS y correos enviados</li></ul>',
        )

    return router


def _secret(settings: TwinsSettings) -> str | None:
    return settings.twilio_auth_token.get_secret_value() if settings.twilio_auth_token else None


async def _sweep(books: Sequence[Book]) -> None:
    """Payments whose time is over expire, as at their providers, without anybody asking."""
    while True:
        for book in books:
            book.expire_due()
        await asyncio.sleep(_SWEEP_SECONDS)
