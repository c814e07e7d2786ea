"""The languages in which a user can be written to."""

from __future__ import annotations

from enum import StrEnum


class Language(StrEnum):
    """ISO 639-1."""

    SPANISH = "es"
    PORTUGUESE = "pt"
    ENGLISH = "en"
