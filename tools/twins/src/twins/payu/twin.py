"""PayU's twin, put together."""

from __future__ import annotations

from twins.faults import FaultPlan
from twins.payu.calls import PayuCalls
from twins.payu.events import Events, PayuSender
from twins.payu.ledger import ORDER, Ledger
from twins.payu.routes import CHECKOUT, Api, page_router
from twins.provider.control import control_router
from twins.provider.deliveries import Deliveries
from twins.provider.hosted import hosted_router
from twins.provider.twin import Twin
from twins.settings import TwinsSettings
from twins.store import Store

NAME = "payu"
TITLE = "PayU Latam"


def build(settings: TwinsSettings, store: Store) -> Twin:
    own = settings.payu
    faults = FaultPlan()
    deliveries = Deliveries(store, faults, NAME, PayuSender(own), settings.time_scale)
    ledger = Ledger(store, Events(deliveries, own).emit, faults, own, settings.base_url, settings.time_scale)
    calls = PayuCalls(store, faults, own)
    return Twin(
        name=NAME,
        title=TITLE,
        book=ledger,
        deliveries=deliveries,
        faults=faults,
        routers=(
            Api(calls, ledger, own).router(),
            control_router(NAME, store, ledger, deliveries, faults),
            hosted_router(NAME, TITLE, ledger, f"{CHECKOUT}/app"),
            page_router(ledger, own),
        ),
        kinds=(ORDER, calls.kind, deliveries.kind),
    )
