"""Reports as text/csv (RFC 4180), for those who ask for it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from starlette.responses import Response

CSV_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "JSON, or a table where asked for"}
}

Cell = str | int | Decimal | None

# A spreadsheet takes a cell that begins like this for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def wants_csv(accept: str | None) -> bool:
    """Whether an Accept header prefers text/csv to application/json. What it says of a tie or of neither is JSON."""
    quality = {"text/csv": 0.0, "application/json": 0.0}
    for entry in (accept or "").split(","):
        kind, *parameters = (part.strip().lower() for part in entry.split(";"))
        if kind in quality:
            quality[kind] = _quality(parameters)
    return quality["text/csv"] > quality["application/json"]


def csv_response(name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """A file to save. name: without its ending, of letters, digits, - and _."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([_text(cell) for cell in row] for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Vary": "Accept"}
    return Response(text.getvalue(), media_type="text/csv", headers=headers)


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return f"'{cell}"
    return str(cell)


def _quality(parameters: Iterable[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
