"""Response models, and the body as documentation shows it."""

from __future__ import annotations

from typing import Any, Final

from chassis.http.schemas import ResponseModel


class ImportOut(ResponseModel):
    """rows = created + updated + unchanged; stockMovements: how many products' stock the file changed."""

    rows: int
    created: int
    updated: int
    unchanged: int
    stock_movements: int


FILE: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {
                "schema": {"type": "string", "format": "binary"},
                "example": "sku,nombre,precio,existencias\nCAFE-1,Café de olla,89.50,24\n",
            }
        },
    }
}
CSV_ANSWER: Final[dict[str, Any]] = {"content": {"text/csv": {"schema": {"type": "string"}}}}
