"""What buyers read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chassis.localization import Language


@dataclass(frozen=True, slots=True)
class Texts:
    """In one language. {limit}: an amount."""

    pay: str
    amount: str
    note: str
    optional: str
    to_pay: str
    gone: str
    gone_hint: str
    bad_amount: str
    too_much: str
    bad_note: str
    busy: str
    refused: str
    expired: str
    again: str


TEXTS: Final[Mapping[Language, Texts]] = {
    Language.ES: Texts(
        pay="Pagar",
        amount="¿Cuánto vas a pagar?",
        note="Concepto",
        optional="opcional",
        to_pay="Total a pagar",
        gone="Este código ya no se usa",
        gone_hint="Pide al comercio uno nuevo.",
        bad_amount="Escribe la cantidad con números, por ejemplo {example}.",
        too_much="Un pago puede ser de {limit} como máximo.",
        bad_note="El concepto tiene 80 caracteres como máximo.",
        busy="No pudimos preparar tu pago. No se te cobró nada: inténtalo otra vez en un momento.",
        refused="No se puede pagar así en este momento. No se te cobró nada.",
        expired="Ese cobro ya no está abierto. Revisa con el comercio antes de pagar.",
        again="Este pago ya se había enviado con otros datos. Revísalos y vuelve a intentarlo.",
    ),
    Language.PT: Texts(
        pay="Pagar",
        amount="Quanto você vai pagar?",
        note="Descrição",
        optional="opcional",
        to_pay="Total a pagar",
        gone="Este código não é mais usado",
        gone_hint="Peça um novo à loja.",
        bad_amount="Escreva o valor com números, por exemplo {example}.",
        too_much="Um pagamento pode ser de no máximo {limit}.",
        bad_note="A descrição tem no máximo 80 caracteres.",
        busy="Não conseguimos preparar o pagamento. Nada foi cobrado: tente de novo em instantes.",
        refused="Não é possível pagar assim agora. Nada foi cobrado.",
        expired="Essa cobrança não está mais aberta. Confirme com a loja antes de pagar.",
        again="Este pagamento já foi enviado com outros dados. Confira e tente de novo.",
    ),
    Language.EN: Texts(
        pay="Pay",
        amount="How much are you paying?",
        note="Note",
        optional="optional",
        to_pay="Amount due",
        gone="This code is no longer in use",
        gone_hint="Ask the shop for a new one.",
        bad_amount="Write the amount in figures, such as {example}.",
        too_much="A payment is at most {limit}.",
        bad_note="The note has at most 80 characters.",
        busy="We could not prepare your payment. You were not charged: try again in a moment.",
        refused="It cannot be paid this way right now. You were not charged.",
        expired="That charge is no longer open. Check with the shop before you pay.",
        again="This payment was already sent with other details. Check them and try again.",
    ),
}

_WISH: Final = re.compile(r"\b(es|pt|en)\b", re.IGNORECASE)


def language_of(chosen: str | None, accepted: str | None) -> Language:
    """chosen: of the query. accepted: the browser's Accept-Language, in its order."""
    for wish in (chosen or "", (accepted or "")[:200]):
        found = _WISH.search(wish)
        if found is not None:
            return Language(found[1].lower())
    return Language.ES
