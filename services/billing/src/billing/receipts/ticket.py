"""The 80 mm ticket: one strip, as long as it needs to be, in black only, as thermal printers print."""

from __future__ import annotations

from chassis.localization import Formatter
from chassis.pdf.drawing import Rule, figure, paragraph, style
from chassis.pdf.pages import STRIP_COLUMN, strip
from reportlab.lib.colors import black
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Spacer, Table, TableStyle

from billing.receipts.document import Line, ReceiptDocument
from billing.receipts.labels import TAX_ID_NAMES, Labels
from billing.receipts.pdf417 import Pdf417
from billing.receipts.qr import Qr

_AMOUNT = 26 * mm

_SHOP = style(15, bold=True, align="center", lead=1.15)
_SMALL_CENTER = style(7.5, align="center")
_HEADING = style(10, bold=True, align="center")
_TEXT = style(8.5)
_TEXT_RIGHT = style(8.5, align="right")
_ITEM = style(9)
_ITEM_RIGHT = style(9, align="right")
_DETAIL = style(7.5)
_DETAIL_RIGHT = style(7.5, align="right")
_CHAIN = style(6)
_LONGEST_CHAIN = 2000
_TOTAL = style(15, bold=True, lead=1.15)
_TOTAL_RIGHT = style(15, bold=True, align="right", lead=1.15)
_THANKS = style(9.5, bold=True, align="center")
_FLAT = TableStyle(
    [
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 0.8),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 0.8),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
)


_BOX = TableStyle(
    [
        ("BOX", (0, 0), (-1, -1), 1.4, black),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
    ]
)


def render(document: ReceiptDocument, labels: Labels, formatter: Formatter) -> bytes:
    """The PDF: one page of 80 mm whose height fits its content."""
    title = f"{_title(document, labels)} {document.number}"
    return strip(_story(document, labels, formatter), title=title, author=document.issuer.name)


def _story(document: ReceiptDocument, labels: Labels, formatter: Formatter) -> list[Flowable]:
    return [
        *_head(document, labels),
        Rule(dashed=True, space=5),
        *_name(document, labels),
        Spacer(0, 3),
        _pairs(
            [
                (labels.number, document.number),
                (labels.date, formatter.moment(document.sold_at, document.time_zone)),
                (labels.branch, document.branch),
                *_buyer(document, labels),
            ]
        ),
        Rule(dashed=True, space=5),
        *[_line(line, document, labels, formatter) for line in document.lines],
        Rule(dashed=True, space=5),
        *_totals(document, labels, formatter),
        Rule(dashed=True, space=5),
        *_code(document, labels),
        Spacer(0, 8),
        paragraph(labels.thanks, _THANKS),
        Spacer(0, 3),
        *_legal(document, labels),
    ]


def _name(document: ReceiptDocument, labels: Labels) -> list[Flowable]:
    fiscal = document.fiscal
    if fiscal is None or not fiscal.frame:
        below = fiscal.below_frame if fiscal else ""
        heading = [paragraph(_title(document, labels).upper(), _HEADING)]
        return [*heading, paragraph(below, _SMALL_CENTER)] if below else [*heading]
    rows: list[list[Flowable]] = [[paragraph(text, _HEADING)] for text in fiscal.frame]
    box = Table(rows, colWidths=[STRIP_COLUMN * 0.86], style=_BOX)
    return [box, Spacer(0, 3), paragraph(fiscal.below_frame, _SMALL_CENTER)]


def _title(document: ReceiptDocument, labels: Labels) -> str:
    return document.fiscal.heading if document.fiscal else labels.receipt


def _code(document: ReceiptDocument, labels: Labels) -> list[Flowable]:
    fiscal = document.fiscal
    if fiscal is None:
        return [Qr(document.link, 34 * mm), paragraph(labels.scan, _SMALL_CENTER)]
    # Ids of a hundred characters: over the whole width.
    facts: list[Flowable] = [paragraph(f"{label}: {value}", _SMALL_CENTER) for label, value in fiscal.facts]
    if fiscal.code is None:
        return facts
    code = Pdf417(fiscal.code, STRIP_COLUMN) if fiscal.code_kind == "pdf417" else Qr(fiscal.code, 40 * mm)
    return [*facts, Spacer(0, 4), code, *(paragraph(text, _SMALL_CENTER) for text in fiscal.caption)]


def _legal(document: ReceiptDocument, labels: Labels) -> list[Flowable]:
    texts = document.fiscal.texts if document.fiscal else (labels.not_fiscal,)
    legal: list[Flowable] = []
    for label, value in document.fiscal.chains if document.fiscal else ():
        legal += [paragraph(label, _DETAIL), paragraph(value, _CHAIN, longest=_LONGEST_CHAIN), Spacer(0, 3)]
    return [*legal, *(paragraph(text, _SMALL_CENTER) for text in texts)]


def _head(document: ReceiptDocument, labels: Labels) -> list[Flowable]:
    issuer = document.issuer
    tax_id = f"{TAX_ID_NAMES[document.country.value]} {issuer.tax_id}" if issuer.tax_id else ""
    legal_name = issuer.legal_name if issuer.legal_name != issuer.name else ""
    phone = f"{labels.phone} {issuer.phone}" if issuer.phone else ""
    small = [legal_name, tax_id, issuer.address, issuer.place, phone]
    return [paragraph(issuer.name, _SHOP), Spacer(0, 2), *(paragraph(text, _SMALL_CENTER) for text in small if text)]


def _buyer(document: ReceiptDocument, labels: Labels) -> list[tuple[str, str]]:
    buyer = document.buyer
    if buyer is None:
        return []
    rows = [(labels.sold_to, buyer.name), (TAX_ID_NAMES[document.country.value], buyer.tax_id)]
    return [(label, value) for label, value in rows if value]


def _line(line: Line, document: ReceiptDocument, labels: Labels, formatter: Formatter) -> Table:
    def money(minor: int) -> str:
        return formatter.money(document.money(minor))

    rows: list[list[Flowable | str]] = [[paragraph(line.name, _ITEM), figure(money(line.gross), _ITEM_RIGHT, _AMOUNT)]]
    if line.quantity != 1:
        rows.append([paragraph(f"{line.quantity} × {money(line.unit_price)}", _DETAIL), ""])
    if line.discount:
        rows.append([paragraph(labels.discount, _DETAIL), figure(money(-line.discount), _DETAIL_RIGHT, _AMOUNT)])
    rows.append(["", ""])
    return Table(
        rows, colWidths=[STRIP_COLUMN - _AMOUNT, _AMOUNT], rowHeights=[*[None] * (len(rows) - 1), 3], style=_FLAT
    )


def _totals(document: ReceiptDocument, labels: Labels, formatter: Formatter) -> list[Flowable]:
    def money(minor: int) -> str:
        return formatter.money(document.money(minor))

    flowables: list[Flowable] = []
    if document.discount:
        flowables.append(
            _pairs([(labels.subtotal, money(document.list_price)), (labels.discount, money(-document.discount))])
        )
    total = figure(money(document.total), _TOTAL_RIGHT, 48 * mm)
    flowables.append(_table([[paragraph(labels.total.upper(), _TOTAL), total]], 48 * mm))
    taxes = [
        (labels.tax_included if rate is None else labels.tax.format(rate=formatter.rate(rate)), money(amount))
        for rate, amount in document.taxes()
    ]
    method = labels.methods.get(document.payment_method, document.payment_method)
    flowables.append(_pairs([*taxes, (labels.payment, method)]))
    return flowables


def _pairs(rows: list[tuple[str, str]]) -> Table:
    return _table([[paragraph(left, _TEXT), paragraph(right, _TEXT_RIGHT)] for left, right in rows], 42 * mm)


def _table(rows: list[list[Flowable | str]], right: float) -> Table:
    return Table(rows, colWidths=[STRIP_COLUMN - right, right], style=_FLAT)
