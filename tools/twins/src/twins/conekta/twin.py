"""Conekta's twin, put together."""

from __future__ import annotations

from twins.conekta.calls import ConektaCalls
from twins.conekta.control import key_router
from twins.conekta.events import EVENT, WEBHOOK, ConektaSender, Events
from twins.conekta.ledger import ORDER, Ledger
from twins.conekta.routes import Api
from twins.conekta.signing import Keys
from twins.faults import FaultPlan
from twins.provider.control import control_router
from twins.provider.deliveries import Deliveries
from twins.provider.hosted import hosted_router
from twins.provider.twin import Twin
from twins.settings import TwinsSettings
from twins.store import Store

NAME = "conekta"
TITLE = "Conekta"


def build(settings: TwinsSettings, store: Store) -> Twin:
    own = settings.conekta
    keys = Keys(store, own.private_key.get_secret_value() if own.private_key else None)
    faults = FaultPlan()
    sender = ConektaSender(store, keys)
    deliveries = Deliveries(store, faults, NAME, sender, settings.time_scale)
    endpoint = (own.webhook_url, own.webhook_events) if own.webhook_url else None
    events = Events(store, deliveries, endpoint=endpoint)
    ledger = Ledger(store, events.emit, settings.base_url, spei_refunds=own.spei_refunds)
    calls = ConektaCalls(store, faults, own.api_key.get_secret_value())
    return Twin(
        name=NAME,
        title=TITLE,
        book=ledger,
        deliveries=deliveries,
        faults=faults,
        routers=(
            Api(store, calls, faults, ledger, events, keys, settings.base_url).router(),
            key_router(keys),
            control_router(NAME, store, ledger, deliveries, faults),
            hosted_router(NAME, TITLE, ledger, "checkout"),
        ),
        kinds=(ORDER, EVENT, WEBHOOK, calls.kind, deliveries.kind),
        forget=keys.forget,
    )
