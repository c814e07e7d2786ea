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
    waiting: str
    waiting_hint: str
    back_to_bank: str


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
        waiting="Esperamos la confirmación de tu banco",
        waiting_hint="Si ya autorizaste el pago, esta página lo mostrará en un momento.",
        back_to_bank="Volver a mi banco",
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
        waiting="Esperamos a confirmação do seu banco",
        waiting_hint="Se você já autorizou o pagamento, esta página vai mostrar em instantes.",
        back_to_bank="Voltar ao meu banco",
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
        waiting="We are waiting for your bank",
        waiting_hint="If you have approved the payment, this page will show it in a moment.",
        back_to_bank="Back to my bank",
    ),
}
