"""The A4 page: for the buyer's papers and the merchant's books."""

from __future__ import annotations

from typing import Any

from chassis.localization import Formatter
from chassis.pdf.drawing import Rule, figure, paragraph, style
from chassis.pdf.pages import HAIR, PAGE_COLUMN, QUIET, Foot, sheets
from reportlab.lib.colors import HexColor, white
from reportlab.lib.units import mm
from reportlab.platypus import (
    Flowable,
    KeepTogether,
    Spacer,
    Table,
    TableStyle,
)

from billing.receipts.document import FiscalPrint, ReceiptDocument
from billing.receipts.labels import TAX_ID_NAMES, Labels
from billing.receipts.pdf417 import Pdf417
from billing.receipts.qr import Qr

_INK = HexColor(0x1B2733)
_ACCENT = HexColor(0x0F766E)
_PALE = HexColor(0xF1F5F9)
_FRAME = HexColor(0xB42318)

_PADDING = 7.0

_SHOP = style(21, bold=True, color=_INK, lead=1.15)
_TITLE = style(11, bold=True, align="right", color=_ACCENT)
_NUMBER = style(17, bold=True, align="right", color=_INK, lead=1.2)
_FRAMED = style(12, bold=True, align="center", color=_FRAME, lead=1.25)
_BELOW_FRAME = style(9, bold=True, align="center", color=_FRAME)
_MARK_WIDTH = 19 * mm
_MARK = style(24, bold=True, align="center", color=_INK, lead=1.1)
_BELOW_MARK = style(7, bold=True, align="center", color=_INK)
_META = style(9, align="right", color=QUIET)
_LABEL = style(7.5, bold=True, color=_ACCENT)
_TEXT = style(9.5, color=_INK, lead=1.4)
_STRONG = style(9.5, bold=True, color=_INK, lead=1.4)
_COLUMN_HEAD = style(8, bold=True, color=white)
_COLUMN_HEAD_RIGHT = style(8, bold=True, align="right", color=white)
_CELL = style(9.5, color=_INK)
_CELL_RIGHT = style(9.5, align="right", color=_INK)
_SKU = style(7.5, color=QUIET)
_SUM = style(9.5, color=QUIET)
_TOTAL = style(14, bold=True, color=_INK)
_TOTAL_RIGHT = style(14, bold=True, align="right", color=_INK)
_SCAN = style(8.5, color=QUIET)
_CAPTION = style(8, align="center", color=_INK)
_CHAIN = style(6.5, color=QUIET)
_LONGEST_CHAIN = 2000
_THANKS = style(10.5, bold=True, color=_ACCENT)

_NO_PADDING = [("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 0)]


def render(document: ReceiptDocument, labels: Labels, formatter: Formatter) -> bytes:
    """The PDF: as many A4 pages as the lines need, the head on the first, page numbers on all."""
    foot = Foot(
        left="" if document.fiscal else labels.not_fiscal, middle=f"{labels.number} {document.number}", page=labels.page
    )
    title = f"{document.fiscal.heading if document.fiscal else labels.receipt} {document.number}"
    return sheets(_story(document, labels, formatter), title=title, author=document.issuer.name, foot=foot)


def _story(document: ReceiptDocument, labels: Labels, formatter: Formatter) -> list[Flowable]:
    return [
        _head(document, labels, formatter),
        Rule(space=9, width=1.4, color=_ACCENT),
        _parties(document, labels),
        Spacer(0, 14),
        _lines(document, labels, formatter),
        Spacer(0, 12),
        KeepTogether([_closing(document, labels, formatter), *_chains(document.fiscal)]),
    ]


def _head(document: ReceiptDocument, labels: Labels, formatter: Formatter) -> Table:
    left = [paragraph(document.issuer.name, _SHOP), paragraph(document.branch, _SUM)]
    moment = paragraph(formatter.moment(document.sold_at, document.time_zone), _META)
    if document.fiscal and document.fiscal.frame:
        return _columns([[left, [*_box(document.fiscal), moment]]], [PAGE_COLUMN * 0.57, PAGE_COLUMN * 0.43])
    marked = document.fiscal if document.fiscal and document.fiscal.mark else None
    title = marked.title if marked else document.fiscal.heading if document.fiscal else labels.receipt
    right = [paragraph(title.upper(), _TITLE), paragraph(document.number, _NUMBER), moment]
    if marked is None:
        return _columns([[left, right]], [PAGE_COLUMN * 0.6, PAGE_COLUMN * 0.4])
    side = (PAGE_COLUMN - _MARK_WIDTH) / 2
    return _columns([[left, _mark(marked), right]], [side, _MARK_WIDTH, side])


def _mark(fiscal: FiscalPrint) -> list[Flowable]:
    """The letter of the document in the middle of the head, in its box."""
    box = Table(
        [[paragraph(fiscal.mark, _MARK)], [paragraph(fiscal.below_frame, _BELOW_MARK)]],
        colWidths=[_MARK_WIDTH],
        style=TableStyle(
            [
                ("BOX", (0, 0), (-1, -1), 1.2, _INK),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, 0), 0),
                ("BOTTOMPADDING", (0, 1), (-1, 1), 4),
            ]
        ),
    )
    return [box]


def _box(fiscal: FiscalPrint) -> list[Flowable]:
    """Issuer, name and number in the frame that some authorities want."""
    rows: list[list[Flowable]] = [[paragraph(text, _FRAMED)] for text in fiscal.frame]
    box = Table(
        rows,
        colWidths=[PAGE_COLUMN * 0.43],
        style=TableStyle(
            [
                ("BOX", (0, 0), (-1, -1), 1.6, _FRAME),
                ("TOPPADDING", (0, 0), (-1, -1), 3),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
                ("TOPPADDING", (0, 0), (-1, 0), 7),
                ("BOTTOMPADDING", (0, -1), (-1, -1), 9),
            ]
        ),
    )
    return [box, Spacer(0, 3), paragraph(fiscal.below_frame, _BELOW_FRAME), Spacer(0, 3)]


def _parties(document: ReceiptDocument, labels: Labels) -> Table:
    issuer, buyer = document.issuer, document.buyer
    tax_name = TAX_ID_NAMES[document.country.value]
    seller = [
        paragraph(labels.sold_by.upper(), _LABEL),
        paragraph(issuer.legal_name or issuer.name, _STRONG),
        *(
            paragraph(text, _TEXT)
            for text in (
                f"{tax_name} {issuer.tax_id}" if issuer.tax_id else "",
                issuer.address,
                issuer.place,
                f"{labels.phone} {issuer.phone}" if issuer.phone else "",
            )
            if text
        ),
    ]
    customer = [paragraph(labels.sold_to.upper(), _LABEL)]
    customer.append(paragraph((buyer.name if buyer else "") or labels.general_public, _STRONG))
    if buyer and buyer.tax_id:
        customer.append(paragraph(f"{tax_name} {buyer.tax_id}", _TEXT))
    return _columns([[seller, customer]], [PAGE_COLUMN * 0.55, PAGE_COLUMN * 0.45])


def _lines(document: ReceiptDocument, labels: Labels, formatter: Formatter) -> Table:
    def money(minor: int) -> str:
        return formatter.money(document.money(minor))

    discounted = any(line.discount for line in document.lines)
    heads = [labels.item, labels.quantity, labels.unit_price, *([labels.discount] if discounted else []), labels.amount]
    widths = [16 * mm, 30 * mm, *([28 * mm] if discounted else []), 32 * mm]
    rows: list[list[Any]] = [
        [paragraph(text, _COLUMN_HEAD_RIGHT if place else _COLUMN_HEAD) for place, text in enumerate(heads)]
    ]
    for line in document.lines:
        name = [paragraph(line.name, _CELL), *([paragraph(line.sku, _SKU)] if line.sku else [])]
        figures = [str(line.quantity), money(line.unit_price)]
        if discounted:
            figures.append(money(-line.discount) if line.discount else "")
        figures.append(money(line.total))
        cells = zip(figures, widths, strict=True)
        rows.append([name, *(figure(text, _CELL_RIGHT, width - 2 * _PADDING) for text, width in cells)])
    return Table(
        rows,
        colWidths=[PAGE_COLUMN - sum(widths), *widths],
        repeatRows=1,
        style=TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, 0), _ACCENT),
                ("ROWBACKGROUNDS", (0, 1), (-1, -1), [white, _PALE]),
                ("LINEBELOW", (0, 1), (-1, -1), 0.4, HAIR),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("TOPPADDING", (0, 0), (-1, -1), 5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
                ("LEFTPADDING", (0, 0), (-1, -1), _PADDING),
                ("RIGHTPADDING", (0, 0), (-1, -1), _PADDING),
            ]
        ),
    )


def _chains(fiscal: FiscalPrint | None) -> list[Flowable]:
    """Seals: nobody reads them, and the law wants them whole."""
    found: list[Flowable] = []
    for label, value in fiscal.chains if fiscal else ():
        found += [Spacer(0, 6), paragraph(label.upper(), _LABEL), paragraph(value, _CHAIN, longest=_LONGEST_CHAIN)]
    return found


def _closing(document: ReceiptDocument, labels: Labels, formatter: Formatter) -> Table:
    if document.fiscal is not None:
        code = _authority(document.fiscal)
        return _columns([[code, _sums(document, labels, formatter)]], [PAGE_COLUMN * 0.52, PAGE_COLUMN * 0.48])
    code = Table(
        [
            [
                Qr(document.link, 32 * mm, align="LEFT"),
                [paragraph(labels.thanks, _THANKS), Spacer(0, 4), paragraph(labels.scan, _SCAN)],
            ]
        ],
        colWidths=[35 * mm, PAGE_COLUMN * 0.52 - 35 * mm],
        style=TableStyle([*_NO_PADDING, ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]),
    )
    return _columns([[code, _sums(document, labels, formatter)]], [PAGE_COLUMN * 0.52, PAGE_COLUMN * 0.48])


def _authority(fiscal: FiscalPrint) -> Table:
    """What the law wants: the code, and beside or below it the facts and texts."""
    column = PAGE_COLUMN * 0.5
    facts: list[Flowable] = []
    for label, value in fiscal.facts:
        facts += [paragraph(label.upper(), _LABEL), paragraph(value, _SCAN), Spacer(0, 2)]
    texts: list[Flowable] = [paragraph(text, _SCAN) for text in fiscal.texts]
    style = TableStyle([*_NO_PADDING, ("VALIGN", (0, 0), (-1, -1), "TOP")])
    if fiscal.code is None:
        return Table([[[*facts, *texts]]], colWidths=[column], style=style)
    if fiscal.code_kind == "pdf417":
        wide = Pdf417(fiscal.code, column - 6 * mm, align="LEFT")
        caption: list[Flowable] = [paragraph(text, _CAPTION) for text in fiscal.caption]
        return Table([[[wide, *caption, Spacer(0, 6), *facts, *texts]]], colWidths=[column], style=style)
    square = Qr(fiscal.code, 34 * mm, align="LEFT")
    return Table([[square, [*facts, *texts]]], colWidths=[37 * mm, column - 37 * mm], style=style)


def _sums(document: ReceiptDocument, labels: Labels, formatter: Formatter) -> Table:
    def money(minor: int) -> str:
        return formatter.money(document.money(minor))

    rows: list[tuple[str, str]] = []
    if document.discount:
        rows += [(labels.subtotal, money(document.list_price)), (labels.discount, money(-document.discount))]
    before = len(rows)
    rows.append((labels.total, money(document.total)))
    rows += [
        (labels.tax_included if rate is None else labels.tax.format(rate=formatter.rate(rate)), money(amount))
        for rate, amount in document.taxes()
    ]
    rows.append((labels.payment, labels.methods.get(document.payment_method, document.payment_method)))
    left_width, right_width = PAGE_COLUMN * 0.48 * 0.46, PAGE_COLUMN * 0.48 * 0.54
    cells = [
        [
            paragraph(left, _TOTAL if index == before else _SUM),
            figure(right, _TOTAL_RIGHT if index == before else _CELL_RIGHT, right_width - 2 * _PADDING),
        ]
        for index, (left, right) in enumerate(rows)
    ]
    return Table(
        cells,
        colWidths=[left_width, right_width],
        style=TableStyle(
            [
                ("BACKGROUND", (0, before), (-1, before), _PALE),
                ("LINEABOVE", (0, before), (-1, before), 1.4, _ACCENT),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("TOPPADDING", (0, 0), (-1, -1), 3.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3.5),
                ("TOPPADDING", (0, before), (-1, before), 7),
                ("BOTTOMPADDING", (0, before), (-1, before), 8),
                ("LEFTPADDING", (0, 0), (-1, -1), _PADDING),
                ("RIGHTPADDING", (0, 0), (-1, -1), _PADDING),
            ]
        ),
    )


def _columns(rows: list[list[Any]], widths: list[float]) -> Table:
    flat = TableStyle(
        [*_NO_PADDING, ("VALIGN", (0, 0), (-1, -1), "TOP"), ("TOPPADDING", (0, 0), (-1, -1), 0)],
    )
    return Table(rows, colWidths=widths, style=flat)
