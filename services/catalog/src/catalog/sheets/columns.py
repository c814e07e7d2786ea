"""The columns of a catalogue's file, by the names that merchants give them."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Language(StrEnum):
    """Of the header; a file is read whatever its language."""

    ES = "es"
    PT = "pt"
    EN = "en"


@dataclass(frozen=True, slots=True)
class Column:
    """field: the name in the API. The others are headers; `known`: more of them that are understood."""

    field: str
    es: str
    pt: str
    en: str
    known: tuple[str, ...] = ()

    def header(self, language: Language) -> str:
        return {Language.ES: self.es, Language.PT: self.pt, Language.EN: self.en}[language]


ID: Final = "id"
STOCK: Final = "stock"
COLUMNS: Final = (
    Column(ID, "id", "id", "id"),
    Column("name", "nombre", "nome", "name", ("producto", "produto", "product")),
    Column("sku", "sku", "sku", "sku", ("código", "code", "clave", "referencia", "referência")),
    Column("barcode", "código de barras", "código de barras", "barcode", ("ean", "gtin", "codbarras")),
    Column("description", "descripción", "descrição", "description"),
    Column("category", "categoría", "categoria", "category"),
    Column("price", "precio", "preço", "price", ("precio de venta", "preço de venda")),
    Column("cost", "costo", "custo", "cost", ("coste",)),
    Column("taxRate", "impuesto", "imposto", "taxRate", ("iva", "tax", "tax rate", "taxa de imposto")),
    Column(STOCK, "existencias", "estoque", "stock", ("inventario", "cantidad", "quantidade", "quantity")),
    Column("minStock", "existencias mínimas", "estoque mínimo", "minStock", ("stock mínimo", "min stock")),
    Column("imageUrl", "imagen", "imagem", "imageUrl", ("image", "image url")),
    Column("isActive", "activo", "ativo", "isActive", ("active",)),
)


def _plain(header: str) -> str:
    """Without accents, case and what stands between words."""
    letters = unicodedata.normalize("NFD", header.casefold())
    return "".join(letter for letter in letters if letter.isalnum())


def _names() -> Mapping[str, str]:
    return {
        _plain(name): column.field
        for column in COLUMNS
        for name in (column.field, column.es, column.pt, column.en, *column.known)
    }


_FIELDS: Final = MappingProxyType(_names())


def field_of(header: str) -> str | None:
    """The field that a header means, in any language; None when it means none."""
    return _FIELDS.get(_plain(header))
