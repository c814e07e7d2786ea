"""The A4 page, for the books. Imports reportlab: load it late."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.pdf.drawing import Rule, figure, paragraph, style
from chassis.pdf.pages import HAIR, PAGE_COLUMN, QUIET, Foot, sheets
from reportlab.lib.colors import HexColor
from reportlab.platypus import Flowable, KeepTogether, Spacer, Table, TableStyle

from sales.z_reports.content import Content, Row, Section

_INK = HexColor(0x1B2733)
_ACCENT = HexColor(0x0F766E)
_PALE = HexColor(0xF1F5F9)

_GAP = 18.0
_HALF = (PAGE_COLUMN - _GAP) / 2
_PADDING = 5.0

_SHOP = style(21, bold=True, color=_INK, lead=1.15)
_TITLE = style(13, bold=True, align="right", color=_ACCENT)
_NUMBER = style(11, bold=True, align="right", color=_INK)
_LABEL = style(8, bold=True, color=_ACCENT)
_TEXT = style(9, color=_INK)
_TEXT_RIGHT = style(9, align="right", color=_INK)
_STRONG = style(10.5, bold=True, color=_INK)
_STRONG_RIGHT = style(10.5, bold=True, align="right", color=_INK)
_NOTE = style(7.5, color=QUIET)
_SIGNATURE = style(8, align="center", color=QUIET)


def render(content: Content, page: str) -> bytes:
    """page: takes the page and the number of pages."""
    story: list[Flowable] = [
        _beside(
            [paragraph(content.shop, _SHOP)],
            [paragraph(content.title.upper(), _TITLE), paragraph(content.number, _NUMBER)],
        ),
        Rule(space=9, width=1.4, color=_ACCENT),
        _beside(*_halves([_rows([row]) for row in content.head])),
        Spacer(0, 12),
        *_sections(content.sections),
    ]
    if content.remarks:
        remarks = [paragraph(f"• {remark}", _TEXT) for remark in content.remarks]
        story.append(KeepTogether([paragraph(content.remarks_title.upper(), _LABEL), *remarks]))
    story.append(KeepTogether([Spacer(0, 48), _beside(*([_signature(one)] for one in content.signatures))]))
    foot = Foot(left=content.title, middle=content.number, page=page)
    return sheets(story, title=f"{content.title} {content.number}", author=content.shop, foot=foot)


def _sections(sections: Sequence[Section]) -> list[Flowable]:
    """Two beside each other, so that a day fits a page."""
    drawn: list[Flowable] = []
    for place in range(0, len(sections), 2):
        drawn.append(_beside(*([_section(one)] for one in sections[place : place + 2])))
        drawn.append(Spacer(0, 12))
    return drawn


def _section(section: Section) -> Table:
    parts: list[list[Flowable]] = [[paragraph(section.title.upper(), _LABEL)], [_rows(section.rows)]]
    if section.note:
        parts.append([paragraph(section.note, _NOTE)])
    return Table(parts, colWidths=[_HALF], style=_flat())


def _rows(rows: Sequence[Row]) -> Table:
    value = _HALF * 0.48
    cells = [
        [
            paragraph(row.label, _STRONG if row.strong else _TEXT),
            figure(row.value, _STRONG_RIGHT if row.strong else _TEXT_RIGHT, value - 2 * _PADDING),
        ]
        for row in rows
    ]
    look = TableStyle(
        [
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, HAIR),
            ("LEFTPADDING", (0, 0), (-1, -1), _PADDING),
            ("RIGHTPADDING", (0, 0), (-1, -1), _PADDING),
            ("TOPPADDING", (0, 0), (-1, -1), 2.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3.5),
            *(("BACKGROUND", (0, place), (-1, place), _PALE) for place, row in enumerate(rows) if row.strong),
        ]
    )
    return Table(cells, colWidths=[_HALF - value, value], style=look)


def _signature(text: str) -> Table:
    look = TableStyle([("LINEABOVE", (0, 0), (-1, 0), 0.6, _INK)])
    return Table([[paragraph(text, _SIGNATURE)]], colWidths=[_HALF], style=look)


def _halves(parts: list[Flowable]) -> tuple[list[Flowable], list[Flowable]]:
    middle = -(-len(parts) // 2)
    return parts[:middle], parts[middle:]


def _beside(*columns: Sequence[Flowable]) -> Table:
    left, right = columns[0], columns[1] if len(columns) > 1 else ()
    return Table([[list(left), "", list(right)]], colWidths=[_HALF, _GAP, _HALF], style=_flat())


def _flat() -> TableStyle:
    return TableStyle(
        [
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 0),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ]
    )
