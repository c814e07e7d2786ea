"""What buyers read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chassis.localization import Language


@dataclass(frozen=True, slots=True)
class Texts:
    """In one language."""

    to_pay: str
    go: str
    leading: str
    paid: str
    refunded: str
    over: str
    over_hint: str
    gone: str
    gone_hint: str


TEXTS: Final[Mapping[Language, Texts]] = {
    Language.ES: Texts(
        to_pay="Total a pagar",
        go="Continuar al pago",
        leading="Te llevamos a la página de pago.",
        paid="Este cobro ya está pagado",
        refunded="Este pago fue devuelto",
        over="Este cobro ya no está abierto",
        over_hint="No se te cobró nada aquí. Pide al comercio uno nuevo.",
        gone="Este enlace de pago no existe",
        gone_hint="Pide al comercio uno nuevo.",
    ),
    Language.PT: Texts(
        to_pay="Total a pagar",
        go="Continuar para o pagamento",
        leading="Estamos levando você à página de pagamento.",
        paid="Esta cobrança já foi paga",
        refunded="Este pagamento foi devolvido",
        over="Esta cobrança não está mais aberta",
        over_hint="Nada foi cobrado aqui. Peça uma nova à loja.",
        gone="Este link de pagamento não existe",
        gone_hint="Peça um novo à loja.",
    ),
    Language.EN: Texts(
        to_pay="Amount due",
        go="Continue to payment",
        leading="We are taking you to the payment page.",
        paid="This has been paid",
        refunded="This payment was refunded",
        over="This charge is no longer open",
        over_hint="You were not charged here. Ask the shop for a new one.",
        gone="There is no such payment link",
        gone_hint="Ask the shop for a new one.",
    ),
}
