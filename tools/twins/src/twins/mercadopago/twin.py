"""Mercado Pago's twin, put together."""

from __future__ import annotations

from twins.faults import FaultPlan
from twins.mercadopago.calls import KEY, MercadoPagoCalls
from twins.mercadopago.events import Events, MercadoPagoSender
from twins.mercadopago.ledger import ORDER, Ledger, Seller
from twins.mercadopago.routes import Api
from twins.provider.control import control_router
from twins.provider.deliveries import Deliveries
from twins.provider.hosted import hosted_router
from twins.provider.twin import Twin
from twins.settings import TwinsSettings
from twins.store import Store

NAME = "mercadopago"
TITLE = "Mercado Pago"


def build(settings: TwinsSettings, store: Store) -> Twin:
    own = settings.mercadopago
    faults = FaultPlan()
    deliveries = Deliveries(store, faults, NAME, MercadoPagoSender(own), settings.time_scale)
    ledger = Ledger(
        store,
        Events(deliveries, own).emit,
        faults,
        Seller(own.user_id, own.external_pos_id, settings.base_url),
        refund_seconds=own.refund_seconds / settings.time_scale,
    )
    calls = MercadoPagoCalls(store, faults, own.access_token.get_secret_value(), replay_keys=own.replay_keys)
    return Twin(
        name=NAME,
        title=TITLE,
        book=ledger,
        deliveries=deliveries,
        faults=faults,
        routers=(
            Api(calls, ledger).router(),
            control_router(NAME, store, ledger, deliveries, faults),
            hosted_router(NAME, TITLE, ledger, "checkout"),
        ),
        kinds=(ORDER, KEY, calls.kind, deliveries.kind),
    )
