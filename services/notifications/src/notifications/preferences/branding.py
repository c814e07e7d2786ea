"""How a business's e-mails look: its logo and its colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_DARK: Final = "#1b2733"
_LIGHT: Final = "#ffffff"
# WCAG 2.1: where black and white text have the same contrast.
_THRESHOLD: Final = 0.179


@dataclass(frozen=True, slots=True)
class Branding:
    """color: #rrggbb. logo_url: https, or empty."""

    color: str = "#0f766e"
    logo_url: str = ""

    @property
    def on_color(self) -> str:
        """The colour of text that is legible on it, whatever colour a merchant likes."""
        return _DARK if _luminance(self.color) > _THRESHOLD else _LIGHT


COBRO: Final = Branding()


def _luminance(color: str) -> float:
    """Relative luminance of sRGB as WCAG 2.1 defines it, 0 to 1."""
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
