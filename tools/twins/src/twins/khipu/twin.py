"""Khipu's twin, put together."""

from __future__ import annotations

from twins.faults import FaultPlan
from twins.khipu.calls import KhipuCalls
from twins.khipu.events import Events, KhipuSender
from twins.khipu.ledger import PAYMENT, Ledger
from twins.khipu.routes import Api, page_router
from twins.provider.control import control_router
from twins.provider.deliveries import Deliveries
from twins.provider.hosted import hosted_router
from twins.provider.twin import Twin
from twins.settings import TwinsSettings
from twins.store import Store

NAME = "khipu"
TITLE = "Khipu"


def build(settings: TwinsSettings, store: Store) -> Twin:
    own = settings.khipu
    faults = FaultPlan()
    deliveries = Deliveries(store, faults, NAME, KhipuSender(own), settings.time_scale)
    ledger = Ledger(store, Events(deliveries).emit, faults, own, settings.base_url, settings.time_scale)
    calls = KhipuCalls(store, faults, own)
    return Twin(
        name=NAME,
        title=TITLE,
        book=ledger,
        deliveries=deliveries,
        faults=faults,
        routers=(
            Api(calls, ledger, own).router(),
            control_router(NAME, store, ledger, deliveries, faults),
            hosted_router(NAME, TITLE, ledger, "payment/info"),
            page_router(),
        ),
        kinds=(PAYMENT, calls.kind, deliveries.kind),
    )
