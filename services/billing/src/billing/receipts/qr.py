"""The QR code on a receipt. Imports reportlab: load it late."""

from __future__ import annotations

from typing import Literal

import segno
from reportlab.lib.colors import black
from reportlab.platypus import Flowable


class Qr(Flowable):
    """A QR code of `size` points with its quiet zone, as rectangles: sharp at any resolution."""

    def __init__(self, content: str, size: float, *, align: Literal["LEFT", "CENTER"] = "CENTER") -> None:
        super().__init__()
        self.hAlign = align
        self.width = self.height = size
        self._matrix = segno.make_qr(content, error="m").matrix

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        return self.width, self.height

    def draw(self) -> None:
        quiet = 2
        cell = self.width / (len(self._matrix) + 2 * quiet)
        path = self.canv.beginPath()
        for row, cells in enumerate(self._matrix):
            start = None
            for column, dark in enumerate([*cells, 0]):
                if dark and start is None:
                    start = column
                elif not dark and start is not None:
                    top = self.height - (row + quiet + 1) * cell
                    path.rect((start + quiet) * cell, top, (column - start) * cell, cell)
                    start = None
        self.canv.setFillColor(black)
        self.canv.drawPath(path, stroke=0, fill=1)
