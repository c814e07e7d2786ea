"""From what a document says to its bytes: the 80 mm strip and the A4 page. The same content gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate

from chassis.pdf.drawing import REGULAR, printable

STRIP_WIDTH: Final = 80 * mm
STRIP_MARGIN: Final = 4 * mm
STRIP_COLUMN: Final = STRIP_WIDTH - 2 * STRIP_MARGIN
PAGE_MARGIN: Final = 18 * mm
PAGE_COLUMN: Final = A4[0] - 2 * PAGE_MARGIN

QUIET: Final = HexColor(0x64748B)
HAIR: Final = HexColor(0xCBD5E1)

_TALLEST = 100_000.0


@dataclass(frozen=True, slots=True)
class Foot:
    """The line under each page. page: takes the page and the number of pages."""

    left: str
    middle: str
    page: str


def strip(story: Sequence[Flowable], *, title: str, author: str) -> bytes:
    """One page of 80 mm, as tall as its content, in black only as thermal printers print."""
    height = sum(flowable.wrap(STRIP_COLUMN, _TALLEST)[1] for flowable in story) + 2 * STRIP_MARGIN + 1
    frame = _frame(STRIP_MARGIN, STRIP_MARGIN, STRIP_COLUMN, height - 2 * STRIP_MARGIN)
    return _built(story, (STRIP_WIDTH, height), frame, title=title, author=author)


def sheets(story: Sequence[Flowable], *, title: str, author: str, foot: Foot) -> bytes:
    """As many A4 pages as the content needs, numbered."""
    frame = _frame(PAGE_MARGIN, 22 * mm, PAGE_COLUMN, A4[1] - 38 * mm)
    return _built(story, A4, frame, title=title, author=author, canvasmaker=_numbered(foot))


def _frame(x: float, y: float, width: float, height: float) -> Frame:
    return Frame(x, y, width, height, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0)


def _built(
    story: Sequence[Flowable], size: tuple[float, float], frame: Frame, *, title: str, author: str, **options: Any
) -> bytes:
    buffer = BytesIO()
    template = BaseDocTemplate(buffer, pagesize=size, title=title, author=author, creator="Cobro", invariant=1)
    template.addPageTemplates(PageTemplate(frames=[frame]))
    template.build(list(story), **options)
    return buffer.getvalue()


def _numbered(foot: Foot) -> Callable[..., Canvas]:
    """A canvas that writes the foot of each page once the number of pages is known."""

    class Numbered(Canvas):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self._pages.append(dict(self.__dict__))
            self._startPage()  # type: ignore[attr-defined]

        def save(self) -> None:
            for page in self._pages:
                self.__dict__.update(page)
                self._foot(len(self._pages))
                super().showPage()
            super().save()

        def _foot(self, pages: int) -> None:
            self.setStrokeColor(HAIR)
            self.setLineWidth(0.4)
            self.line(PAGE_MARGIN, 16 * mm, A4[0] - PAGE_MARGIN, 16 * mm)
            self.setFillColor(QUIET)
            self.setFont(REGULAR, 8)
            self.drawString(PAGE_MARGIN, 11.5 * mm, foot.left)
            self.drawCentredString(A4[0] / 2, 11.5 * mm, printable(foot.middle))
            numbered = foot.page.format(page=self.getPageNumber(), pages=pages)
            self.drawRightString(A4[0] - PAGE_MARGIN, 11.5 * mm, numbered)

    return Numbered
