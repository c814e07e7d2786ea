"""What RG 1415, RG 4892 (the code) and Ley 27.743 (the VAT contained) want on paper. Pure."""

from __future__ import annotations

import base64
from datetime import date
from decimal import Decimal
from typing import Final

from kernel import Currency, Money

from fiscal.ar.codes import CONDITION_NAMES, LETTERS, NOTE_TYPES, Condition
from fiscal.ar.voucher import Voucher, issuer_condition
from fiscal.profile import IssuerProfile
from fiscal.provider import CodeKind, Outcome, Printed, PrintedCode

_QR: Final = "https://www.afip.gob.ar/fe/qr/?p="
# Said outright, or the rates of the lines would be printed on a document of class C, which charges none.
_NO_VAT: Final = ((Decimal(0), Money.zero(Currency.ARS)),)
_MONOTRIBUTO_CREDIT: Final = (
    "El crédito fiscal discriminado en el presente comprobante, sólo podrá ser computado a efectos del Régimen de"
    " Sostenimiento e Inclusión Fiscal para Pequeños Contribuyentes de la Ley Nº 27.618."
)


def printed(issuer: IssuerProfile, voucher: Voucher, outcome: Outcome) -> Printed:
    """outcome: an acceptance."""
    letter = voucher.letter
    return Printed(
        title="Nota de crédito" if voucher.type in NOTE_TYPES.values() else "Factura",
        mark=letter,
        below_frame=f"CÓD. {voucher.type:02d}",
        facts=(
            *_stamp(outcome),
            *(_breakdown(voucher) if letter == "A" else ()),
            *_associated(voucher),
            ("Cliente", CONDITION_NAMES[voucher.condition]),
            ("Emisor", CONDITION_NAMES[issuer_condition(issuer)]),
            ("Ingresos Brutos", issuer.fields.get("grossIncome", "")),
            ("Inicio de actividades", _day(date.fromisoformat(issuer.fields["activityStart"]))),
        ),
        code=PrintedCode(CodeKind.QR, code(int(issuer.tax_id), voucher, outcome.fiscal_id or "")),
        taxes=tuple((group.rate, group.tax) for group in reversed(voucher.amounts.groups)) or _NO_VAT,
        texts=(*_transparency(voucher), *_credit(voucher), "Comprobante autorizado por ARCA."),
    )


def code(cuit: int, voucher: Voucher, cae: str) -> str:
    """The address in the QR code, version 1."""
    return qr_address(
        day=voucher.day,
        cuit=cuit,
        point_of_sale=voucher.point_of_sale,
        type=voucher.type,
        number=voucher.number,
        amount=voucher.amounts.total.decimal,
        id_type=voucher.id_type,
        id_number=voucher.id_number,
        cae=cae,
    )


def qr_address(
    *,
    day: date,
    cuit: int,
    point_of_sale: int,
    type: int,
    number: int,
    amount: Decimal,
    id_type: int,
    id_number: int,
    cae: str,
    currency: str = "PES",
    rate: int = 1,
) -> str:
    """Written out, not dumped: an amount is never a float, and the published example has this order and no blanks."""
    content = (
        f'{{"ver":1,"fecha":"{day.isoformat()}","cuit":{cuit},"ptoVta":{point_of_sale},"tipoCmp":{type},'
        f'"nroCmp":{number},"importe":{_plain(amount)},"moneda":"{currency}","ctz":{rate},"tipoDocRec":{id_type},'
        f'"nroDocRec":{id_number},"tipoCodAut":"E","codAut":{int(cae)}}}'
    )
    return _QR + base64.b64encode(content.encode()).decode()


def pesos(amount: Money) -> str:
    """$ 1.234,56"""
    whole, _, cents = f"{amount.decimal:,.2f}".partition(".")
    return f"$ {whole.replace(',', '.')},{cents}"


def _stamp(outcome: Outcome) -> tuple[tuple[str, str], ...]:
    due = (("Vencimiento del CAE", _day(outcome.expires_on)),) if outcome.expires_on else ()
    return (("CAE", outcome.fiscal_id or ""), *due)


def _breakdown(voucher: Voucher) -> tuple[tuple[str, str], ...]:
    amounts = voucher.amounts
    rows = [("Importe neto gravado", amounts.net)] if amounts.groups else []
    rows += [(f"IVA {_percent(group.rate)} %", group.tax) for group in amounts.groups]
    rows += [
        (label, amount)
        for label, amount in (("Importe exento", amounts.exempt), ("Importe no gravado", amounts.untaxed))
        if amount
    ]
    return tuple((label, pesos(amount)) for label, amount in rows)


def _associated(voucher: Voucher) -> tuple[tuple[str, str], ...]:
    taken_back = voucher.associated
    if taken_back is None:
        return ()
    number = f"{taken_back.point_of_sale:05d}-{taken_back.number:08d}"
    return (("Comprobante asociado", f"Factura {LETTERS[taken_back.type]} {number} del {_day(taken_back.day)}"),)


def _transparency(voucher: Voucher) -> tuple[str, ...]:
    """Of what a registered issuer hands to who cannot deduct the VAT."""
    if voucher.letter != "B":
        return ()
    return (
        "Régimen de Transparencia Fiscal al Consumidor (Ley 27.743)",
        f"IVA Contenido: {pesos(voucher.amounts.vat)}",
        "Otros Impuestos Nacionales Indirectos: $ 0,00",
    )


def _credit(voucher: Voucher) -> tuple[str, ...]:
    simplified = voucher.condition in (
        Condition.MONOTRIBUTO,
        Condition.SOCIAL_MONOTRIBUTO,
        Condition.PROMOTED_MONOTRIBUTO,
    )
    return (_MONOTRIBUTO_CREDIT,) if voucher.letter == "A" and simplified else ()


def _plain(amount: Decimal) -> str:
    """Without zeros that say nothing: 12100, 179.5."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _percent(rate: Decimal) -> str:
    return _plain(rate * 100).replace(".", ",")


def _day(day: date) -> str:
    return f"{day:%d/%m/%Y}"
