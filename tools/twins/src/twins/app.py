"""The one composition root: every twin in one application on one port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse

from twins.conekta.calls import CALL, Calls
from twins.conekta.checkout import checkout_router
from twins.conekta.control import control_router
from twins.conekta.events import DELIVERY, EVENT, WEBHOOK, Events
from twins.conekta.ledger import ORDER, Ledger
from twins.conekta.routes import Api
from twins.conekta.signing import Keys
from twins.faults import Fault, FaultPlan
from twins.outbox.messages import MESSAGE, Outbox
from twins.outbox.routes import outbox_router
from twins.pages import page
from twins.sendgrid.routes import sendgrid_router
from twins.settings import TwinsSettings
from twins.store import Store
from twins.twilio.routes import twilio_router

_SWEEP_SECONDS = 0.5


def create_app(settings: TwinsSettings) -> FastAPI:
    store = Store(settings.data_dir / "twins.sqlite3" if settings.data_dir else None)
    private_key = settings.conekta_private_key
    keys = Keys(store, private_key.get_secret_value() if private_key else None)
    plans = {"conekta": FaultPlan(), "twilio": FaultPlan(), "sendgrid": FaultPlan()}
    endpoint = (settings.conekta_webhook_url, settings.conekta_webhook_events) if settings.conekta_webhook_url else None
    events = Events(store, keys, plans["conekta"], endpoint=endpoint, time_scale=settings.time_scale)
    ledger = Ledger(store, events.emit, settings.base_url, spei_refunds=settings.conekta_spei_refunds)
    calls = Calls(store, plans["conekta"], settings.conekta_api_key.get_secret_value())
    outbox = Outbox(store)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        work = [asyncio.create_task(events.run()), asyncio.create_task(_sweep(ledger))]
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
    app.include_router(Api(store, calls, ledger, events, keys, settings.base_url).router())
    app.include_router(control_router(store, ledger, events, keys, plans["conekta"]))
    app.include_router(checkout_router(store, ledger))
    app.include_router(twilio_router(outbox, plans["twilio"], settings.twilio_account_sid, _secret(settings)))
    sendgrid_key = settings.sendgrid_api_key
    app.include_router(
        sendgrid_router(outbox, plans["sendgrid"], sendgrid_key.get_secret_value() if sendgrid_key else None)
    )
    app.include_router(outbox_router(outbox))
    app.include_router(_common(store, keys, plans))
    return app


def _common(store: Store, keys: Keys, plans: dict[str, FaultPlan]) -> APIRouter:
    router = APIRouter()

    for name in ("twilio", "sendgrid"):
        _add_faults(router, name, plans[name])

    @router.post("/_control/reset", status_code=204)
    async def reset() -> None:
        """Forget orders, events, messages and faults; keep the signing key."""
        for plan in plans.values():
            plan.clear()
        store.clear(ORDER, EVENT, DELIVERY, WEBHOOK, CALL, MESSAGE)
        keys.forget()

    @router.get("/health/live")
    @router.get("/health/ready")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/", include_in_schema=False)
    async def home() -> HTMLResponse:
        return page(
            "Gemelos",
            "<h1>Gemelos de los sistemas externos</h1><ul>"
            '<li><a href="/conekta/pagos">Pagos de Conekta</a>: pagar, rechazar o dejar vencer</li>'
            '<li><a href="/outbox">Bandeja de salida</a>: los SMS y correos enviados</li>'
            "</ul>",
        )

    return router


def _add_faults(router: APIRouter, name: str, plan: FaultPlan) -> None:
    @router.post(f"/_control/{name}/faults", status_code=201, tags=[name])
    async def arm(fault: Fault) -> dict[str, str]:
        return {"id": plan.arm(fault)}

    @router.delete(f"/_control/{name}/faults", status_code=204, tags=[name])
    async def disarm() -> None:
        plan.clear()


def _secret(settings: TwinsSettings) -> str | None:
    return settings.twilio_auth_token.get_secret_value() if settings.twilio_auth_token else None


async def _sweep(ledger: Ledger) -> None:
    """Orders whose time is over expire, as at Conekta, without anybody asking."""
    while True:
        ledger.expire_due()
        await asyncio.sleep(_SWEEP_SECONDS)
