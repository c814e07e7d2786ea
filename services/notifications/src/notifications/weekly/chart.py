"""The chart of a week: a bar for each day, and where the same day of the week before stood.

Drawn at three times its size and scaled down, which smooths every edge. Mail programs show no SVG and no data: address;
a PNG that comes along with the message is shown by all of them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

WIDTH: Final = 912
HEIGHT: Final = 420
"""In pixels: twice what an e-mail shows, for screens that have as many."""
_SCALE: Final = 3
_INK: Final = "#1b2733"
_MUTED: Final = "#64748b"
_GRID: Final = "#e2e8f0"
_PAPER: Final = "#ffffff"
_LEFT, _RIGHT, _TOP, _BOTTOM = 24, 24, 64, 60
_STEPS: Final = 3
_SHARE_OF_BAR: Final = Decimal("0.56")


@dataclass(frozen=True, slots=True)
class Bar:
    """label: below the bar; value_label: above it, short. Amounts may be negative nowhere: revenue is not."""

    label: str
    value: Decimal
    value_label: str
    previous: Decimal


def draw(bars: Sequence[Bar], *, color: str, this_week: str, week_before: str) -> bytes:
    """A PNG of WIDTH × HEIGHT. color: #rrggbb, of the bars."""
    # Pillow costs memory that a process which draws nothing yet need not hold.
    from PIL import Image, ImageColor, ImageDraw  # noqa: PLC0415

    image = Image.new("RGB", (WIDTH * _SCALE, HEIGHT * _SCALE), _PAPER)
    pen = ImageDraw.Draw(image)
    regular, bold = _font("Roboto-Regular.ttf", 22), _font("Roboto-Bold.ttf", 22)
    floor, ceiling = HEIGHT - _BOTTOM, _TOP + 34
    highest = max((max(bar.value, bar.previous) for bar in bars), default=Decimal(0)) or Decimal(1)
    best = max(range(len(bars)), key=lambda number: bars[number].value, default=0)
    ink = ImageColor.getrgb(color)[:3]
    pale = tuple(round(part + (255 - part) * 0.45) for part in ink)

    def y_of(value: Decimal) -> float:
        return floor - float(value / highest) * (floor - ceiling)

    for step in range(_STEPS + 1):
        y = y_of(highest * step / _STEPS)
        pen.line(_scaled(_LEFT, y, WIDTH - _RIGHT, y), fill=_GRID, width=2 * _SCALE)
    slot = (WIDTH - _LEFT - _RIGHT) / len(bars)
    for number, bar in enumerate(bars):
        middle = _LEFT + slot * (number + 0.5)
        half = slot * float(_SHARE_OF_BAR) / 2
        top = y_of(bar.value)
        if bar.value:
            shape = _scaled(middle - half, min(top, floor - 6), middle + half, floor)
            pen.rounded_rectangle(
                shape, 10 * _SCALE, fill=ink if number == best else pale, corners=(True, True, False, False)
            )
        if bar.previous:
            y = y_of(bar.previous)
            pen.rounded_rectangle(_scaled(middle - half - 9, y - 2, middle + half + 9, y + 2), 2 * _SCALE, fill=_INK)
        label_y = min(top, y_of(bar.previous) if bar.previous else top, floor - 6) - 12
        _text(pen, middle, label_y, bar.value_label, bold if number == best else regular, _INK, "ms")
        _text(pen, middle, floor + 32, bar.label, bold if number == best else regular, _INK, "ms")
    x: float = _LEFT
    for shown, words in ((ink, this_week), (None, week_before)):
        if shown is None:
            pen.rounded_rectangle(_scaled(x, 30, x + 26, 34), 2 * _SCALE, fill=_INK)
        else:
            pen.rounded_rectangle(_scaled(x, 22, x + 20, 42), 5 * _SCALE, fill=shown)
        x += 36
        _text(pen, x, 40, words, regular, _MUTED, "ls")
        x += regular.getlength(words) / _SCALE + 36
    buffer = io.BytesIO()
    small = image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    small.quantize(colors=64, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _font(name: str, size: int) -> FreeTypeFont:
    from PIL import ImageFont  # noqa: PLC0415

    data = resources.files("chassis.pdf").joinpath("fonts", name).read_bytes()
    return ImageFont.truetype(io.BytesIO(data), size * _SCALE)


def _scaled(*numbers: float) -> tuple[int, ...]:
    return tuple(round(number * _SCALE) for number in numbers)


def _text(pen: object, x: float, y: float, words: str, font: FreeTypeFont, fill: str, anchor: str) -> None:
    # A rim of paper, so that a line behind it does not strike it through.
    pen.text(  # type: ignore[attr-defined]
        (x * _SCALE, y * _SCALE),
        words,
        font=font,
        fill=fill,
        anchor=anchor,
        stroke_width=4 * _SCALE,
        stroke_fill=_PAPER,
    )
