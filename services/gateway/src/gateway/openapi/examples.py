"""Examples for what a service describes by its schema alone: plain values of the field, the same every time."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

Schema = Mapping[str, Any]

_ID: Final = "01936b5e-7c1a-7d3e-9f10-2b6c8d4e5f60"
_MOMENT: Final = "2026-01-15T18:30:00Z"
_FORMATS: Final[dict[str, str]] = {
    "uuid": _ID,
    "date-time": _MOMENT,
    "date": "2026-01-15",
    "email": "rosa@example.com",
    "uri": "https://example.com/",
    "binary": "",
    "time": "18:30:00",
}
# By the last part of a field's name.
_NAMES: Final[dict[str, Any]] = {
    "phone": "+525512345678",
    "email": "rosa@example.com",
    "password": "correcto-caballo-batería",
    "code": "123456",
    "firstName": "Rosa",
    "lastName": "Martínez",
    "legalName": "Abarrotes La Esquina SA de CV",
    "name": "Abarrotes La Esquina",
    "taxId": "EKU9003173C9",
    "country": "MX",
    "currency": "MXN",
    "language": "es",
    "timeZone": "America/Mexico_City",
    "city": "Ciudad de México",
    "state": "CDMX",
    "postalCode": "06000",
    "address": "Av. Juárez 10",
    "website": "https://example.com/",
    "quantity": "2",
    "price": "25.50",
    "amount": "150.50",
    "taxRate": "0.16",
    "sku": "REF-600",
    "barcode": "7501055300075",
    "description": "Refresco 600 ml",
    "category": "Bebidas",
    "reason": "ajuste de inventario",
    "nextCursor": None,
    "deletedAt": None,
    "failureReason": None,
}
# By its end, where a schema says no more than that it is text.
_ENDINGS: Final = {"At": _MOMENT, "Url": "https://example.com/", "Link": "https://example.com/", "Id": _ID}
_MONEY: Final = "150.50"
_TEXT: Final = "texto"


class NoExample(Exception):
    """No value of the schema is known."""


def example_of(schema: Schema, resolve: Callable[[str], Schema], *, name: str = "", whole: bool = True) -> Any:
    """A value of the schema. Raises NoExample.

    resolve: what a `$ref` stands for. name: of the field it is for. whole: with the fields that may be left out.
    """
    return _Maker(resolve, whole).make(schema, name, ())


class _Maker:
    def __init__(self, resolve: Callable[[str], Schema], whole: bool) -> None:
        self._resolve = resolve
        self._whole = whole

    def make(self, schema: Schema, name: str, within: tuple[str, ...]) -> Any:
        reference = schema.get("$ref")
        if reference is not None:
            if reference in within:
                raise NoExample(name)
            return self.make(self._resolve(reference), name, (*within, reference))
        if schema.get("examples"):
            return schema["examples"][0]
        for key in ("example", "const"):
            if key in schema:
                return schema[key]
        if schema.get("enum"):
            return schema["enum"][0]
        for key in ("anyOf", "oneOf"):
            if key in schema:
                return self._one_of(schema[key], name, within)
        if "allOf" in schema:
            return self.make(schema["allOf"][0], name, within)
        return self._of_type(schema, name, within)

    def _one_of(self, choices: list[Schema], name: str, within: tuple[str, ...]) -> Any:
        nullable = any(choice.get("type") == "null" for choice in choices)
        if nullable and _NAMES.get(name, name) is None:
            return None
        # A decimal string before a number: that is how amounts are given.
        for choice in sorted(choices, key=lambda choice: choice.get("type") != "string"):
            if choice.get("type") == "null":
                continue
            try:
                return self.make(choice, name, within)
            except NoExample:
                continue
        if nullable:
            return None
        raise NoExample(name)

    def _of_type(self, schema: Schema, name: str, within: tuple[str, ...]) -> Any:
        match schema.get("type"):
            case "object":
                return self._object(schema, within)
            case "array":
                return [self.make(schema["items"], name, within)] if "items" in schema else []
            case "string":
                return _string(schema, name)
            case "integer" | "number":
                return schema.get("default") or max(1, schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1))
            case "boolean":
                return schema.get("default", True)
            case "null":
                return None
        if not schema or set(schema) <= {"title", "description", "default"}:
            return schema.get("default", {})
        raise NoExample(name)

    def _object(self, schema: Schema, within: tuple[str, ...]) -> dict[str, Any]:
        properties: Schema = schema.get("properties", {})
        required = set(schema.get("required", ()))
        chosen = [name for name in properties if self._whole or name in required] or list(properties)[:1]
        made = {}
        for name in chosen:
            try:
                made[name] = self.make(properties[name], name, within)
            except NoExample:
                if name in required:
                    raise
        return made


def _string(schema: Schema, name: str) -> str:
    named = (schema.get("default"), _FORMATS.get(schema.get("format", "")), _NAMES.get(name))
    ending = next((value for end, value in _ENDINGS.items() if name.endswith(end)), None)
    money = _MONEY if "pattern" in schema else None
    for candidate in (*named, ending, money, _TEXT, "a" * schema.get("minLength", 0)):
        if isinstance(candidate, str) and _fits(candidate, schema):
            return candidate
    raise NoExample(name)


def _fits(value: str, schema: Schema) -> bool:
    pattern = schema.get("pattern")
    return (
        schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
        and (pattern is None or re.search(pattern, value) is not None)
        and (_FORMATS.get(schema.get("format", ""), value) == value)
    )
