"""The PDF417 code of a Chilean document (the TED). Imports reportlab and pdf417gen: load it late."""

from __future__ import annotations

from typing import Final, Literal

from pdf417gen.encoding import encode
from reportlab.lib.colors import black
from reportlab.platypus import Flowable

# What SII asks for: error correction level 5, and no character outside ISO-8859-1. Rows are three modules high.
_SECURITY_LEVEL: Final = 5
_COLUMNS: Final = 14
_ROW: Final = 3
_QUIET: Final = 4


class Pdf417(Flowable):
    """A code of `width` points with its quiet zone, as rectangles: sharp at any resolution."""

    def __init__(self, content: str, width: float, *, align: Literal["LEFT", "CENTER"] = "CENTER") -> None:
        super().__init__()
        self.hAlign = align
        codes = encode(content.encode("latin-1", "replace"), columns=_COLUMNS, security_level=_SECURITY_LEVEL)
        self._rows = ["".join(format(value, "b") for value in row) for row in codes]
        self.width = width
        self._module = width / (len(self._rows[0]) + 2 * _QUIET)
        self.height = self._module * (len(self._rows) * _ROW + 2 * _QUIET)

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        return self.width, self.height

    def draw(self) -> None:
        module, path = self._module, self.canv.beginPath()
        for place, row in enumerate(self._rows):
            bottom = self.height - (_QUIET + (place + 1) * _ROW) * module
            start = None
            for column, bit in enumerate(f"{row}0"):
                if bit == "1" and start is None:
                    start = column
                elif bit == "0" and start is not None:
                    path.rect((start + _QUIET) * module, bottom, (column - start) * module, _ROW * module)
                    start = None
        self.canv.setFillColor(black)
        self.canv.drawPath(path, stroke=0, fill=1)
