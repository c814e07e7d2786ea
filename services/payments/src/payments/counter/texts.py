"""What buyers read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chassis.localization import Language


@dataclass(frozen=True, slots=True)
class Texts:
    """In one language. {limit}: an amount. {fields}: labels of the form."""

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
    by_bank: str
    by_bank_hint: str
    go_to_bank: str
    bank: str
    choose: str
    name: str
    email: str
    phone: str
    document: str
    document_number: str
    person: str
    natural: str
    company: str
    bad_payer: str
    bad_bank: str


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
        by_bank="Pagar desde mi banco (PSE)",
        by_bank_hint="Tu banco pide estos datos. Se envían cifrados y solo para este pago.",
        go_to_bank="Ir a mi banco",
        bank="Banco",
        choose="Elige uno",
        name="Nombre completo",
        email="Correo electrónico",
        phone="Celular",
        document="Tipo de documento",
        document_number="Número de documento",
        person="Tipo de persona",
        natural="Natural",
        company="Jurídica",
        bad_payer="Revisa estos datos: {fields}.",
        bad_bank="Elige tu banco de la lista.",
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
        by_bank="Pagar pelo meu banco (PSE)",
        by_bank_hint="O banco pede estes dados. Eles são enviados cifrados e só para este pagamento.",
        go_to_bank="Ir para o meu banco",
        bank="Banco",
        choose="Escolha um",
        name="Nome completo",
        email="E-mail",
        phone="Celular",
        document="Tipo de documento",
        document_number="Número do documento",
        person="Tipo de pessoa",
        natural="Física",
        company="Jurídica",
        bad_payer="Confira estes dados: {fields}.",
        bad_bank="Escolha o seu banco na lista.",
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
        by_bank="Pay from my bank (PSE)",
        by_bank_hint="Your bank asks for these details. They are sent encrypted, for this payment alone.",
        go_to_bank="Go to my bank",
        bank="Bank",
        choose="Choose one",
        name="Full name",
        email="E-mail",
        phone="Mobile phone",
        document="Type of document",
        document_number="Document number",
        person="Type of person",
        natural="Individual",
        company="Company",
        bad_payer="Check these details: {fields}.",
        bad_bank="Choose your bank from the list.",
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
