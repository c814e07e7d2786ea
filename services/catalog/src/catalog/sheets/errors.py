"""What an import refuses as a whole."""

from __future__ import annotations

from kernel import Conflict, InvalidInput, UnsupportedMedia


def not_csv() -> UnsupportedMedia:
    return UnsupportedMedia("The body must be a file with Content-Type text/csv, in UTF-8")


def no_rows() -> InvalidInput:
    return InvalidInput("The file has no products", code="no_rows")


def import_in_progress() -> Conflict:
    return Conflict("Another file of this business is being imported", code="import_in_progress", retry_after=5)
