"""What every document is drawn with: fonts, text that can be printed, rules."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from html import escape
from importlib import resources
from types import MappingProxyType
from typing import Final, Literal

from reportlab.lib.colors import Color, black
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Paragraph

REGULAR = "Roboto"
BOLD = "Roboto-Bold"

Alignment = Literal["left", "center", "right"]
_ALIGNMENTS: Final[Mapping[Alignment, Literal[0, 1, 2]]] = MappingProxyType({"left": 0, "center": 1, "right": 2})

_FILES = {REGULAR: "Roboto-Regular.ttf", BOLD: "Roboto-Bold.ttf"}
_MAX_TEXT = 200


def load_fonts() -> None:
    """Embedded fonts, so that a document looks the same on every screen and printer. Once per process is enough."""
    if REGULAR in pdfmetrics.getRegisteredFontNames():
        return
    folder = resources.files("chassis.pdf").joinpath("fonts")
    for name, file in _FILES.items():
        with folder.joinpath(file).open("rb") as data:
            pdfmetrics.registerFont(TTFont(name, data))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)


def printable(text: str, longest: int = _MAX_TEXT) -> str:
    """One line of at most `longest` characters that the fonts have: emoji and controls go, other scripts become "?"."""
    font = pdfmetrics.getFont(REGULAR)
    assert isinstance(font, TTFont)
    glyphs = font.face.charToGlyph
    kept = []
    for character in unicodedata.normalize("NFC", text[: 4 * longest]):
        if character.isspace():
            kept.append(" ")
        elif ord(character) in glyphs:
            kept.append(character)
        elif unicodedata.category(character)[0] in "LN":
            kept.append("?")
    joined = " ".join("".join(kept).split(" "))
    line = " ".join(joined.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def style(
    size: float, *, bold: bool = False, align: Alignment = "left", color: Color = black, lead: float = 1.3
) -> ParagraphStyle:
    return ParagraphStyle(
        name=f"{size}{bold}{align}",
        fontName=BOLD if bold else REGULAR,
        fontSize=size,
        leading=size * lead,
        alignment=_ALIGNMENTS[align],
        textColor=color,
        splitLongWords=1,
    )


def paragraph(text: str, look: ParagraphStyle, *, longest: int = _MAX_TEXT) -> Paragraph:
    """Plain text: whatever it holds is printed, never obeyed. What is longer than `longest` is cut."""
    return Paragraph(escape(printable(text, longest)), look)


def figure(text: str, look: ParagraphStyle, width: float) -> Paragraph:
    """An amount on one line: set smaller, rather than broken, where it does not fit `width` points."""
    needed = pdfmetrics.stringWidth(printable(text), look.fontName, look.fontSize)
    if needed <= width:
        return paragraph(text, look)
    scale = 0.98 * width / needed
    return paragraph(text, ParagraphStyle(name=f"{look.name}×{scale}", parent=look, fontSize=look.fontSize * scale))


class Rule(Flowable):
    """A line across the column, dashed for a ticket."""

    def __init__(self, *, space: float = 4, width: float = 0.6, dashed: bool = False, color: Color = black) -> None:
        super().__init__()
        self._space = space
        self._line = width
        self._dashed = dashed
        self._color = color

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        self.width, self.height = available_width, 2 * self._space
        return self.width, self.height

    def draw(self) -> None:
        self.canv.setStrokeColor(self._color)
        self.canv.setLineWidth(self._line)
        if self._dashed:
            self.canv.setDash(1.5, 1.5)
        self.canv.line(0, self._space, self.width, self._space)
