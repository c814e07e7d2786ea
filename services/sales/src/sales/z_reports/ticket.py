"""The 80 mm strip. Imports reportlab: load it late."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.pdf.drawing import Rule, figure, paragraph, style
from chassis.pdf.pages import STRIP_COLUMN, strip
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Spacer, Table, TableStyle

from sales.z_reports.content import Content, Row, Section

_VALUE = 32 * mm

_SHOP = style(14, bold=True, align="center", lead=1.15)
_TITLE = style(11, bold=True, align="center")
_SMALL = style(7.5, align="center")
_HEADING = style(9.5, bold=True)
_TEXT = style(8.5)
_TEXT_RIGHT = style(8.5, align="right")
_STRONG = style(10, bold=True)
_STRONG_RIGHT = style(10, bold=True, align="right")
_NOTE = style(7.5)
_FLAT = TableStyle(
    [
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 0.8),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 0.8),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
)


def render(content: Content) -> bytes:
    story: list[Flowable] = [
        paragraph(content.shop, _SHOP),
        Spacer(0, 3),
        paragraph(content.title.upper(), _TITLE),
        paragraph(content.number, _SMALL),
        Rule(dashed=True, space=5),
        _rows(content.head),
    ]
    for section in content.sections:
        story += _section(section)
    if content.remarks:
        story += [Rule(dashed=True, space=5), paragraph(content.remarks_title.upper(), _HEADING)]
        story += [paragraph(f"• {remark}", _TEXT) for remark in content.remarks]
    for signature in content.signatures:
        story += [Spacer(0, 34), Rule(space=1), paragraph(signature, _SMALL)]
    story.append(Spacer(0, 6))
    return strip(story, title=f"{content.title} {content.number}", author=content.shop)


def _section(section: Section) -> list[Flowable]:
    drawn: list[Flowable] = [Rule(dashed=True, space=5), paragraph(section.title.upper(), _HEADING), Spacer(0, 2)]
    drawn.append(_rows(section.rows))
    return [*drawn, paragraph(section.note, _NOTE)] if section.note else drawn


def _rows(rows: Sequence[Row]) -> Table:
    cells = [
        [
            paragraph(row.label, _STRONG if row.strong else _TEXT),
            figure(row.value, _STRONG_RIGHT if row.strong else _TEXT_RIGHT, _VALUE),
        ]
        for row in rows
    ]
    return Table(cells, colWidths=[STRIP_COLUMN - _VALUE, _VALUE], style=_FLAT)
