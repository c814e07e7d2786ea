"""Reading and writing the encrypted columns of a row as if they were plain.

A model names its encrypted columns in `SEALED`. Each value is bound to its table, column and row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol
from uuid import UUID

from chassis.crypto import FieldCipher


class SealedRow(Protocol):
    SEALED: ClassVar[frozenset[str]]
    __tablename__: str

    @property
    def id(self) -> Any: ...


def seal(cipher: FieldCipher, table: str, column: str, row_id: UUID, value: str) -> str:
    return cipher.encrypt(value, context=f"{table}.{column}:{row_id}")


def reveal(cipher: FieldCipher, row: SealedRow, column: str) -> Any:
    """The plain value of a column, encrypted or not."""
    value = getattr(row, column)
    if value is None or column not in row.SEALED:
        return value
    return cipher.decrypt(value, context=f"{row.__tablename__}.{column}:{row.id}")


def assign(cipher: FieldCipher, row: SealedRow, values: Mapping[str, Any]) -> frozenset[str]:
    """Write plain values to a row, and name the columns that really changed."""
    changed = frozenset(column for column, value in values.items() if reveal(cipher, row, column) != value)
    for column in changed:
        value = values[column]
        if value is not None and column in row.SEALED:
            value = seal(cipher, row.__tablename__, column, row.id, value)
        setattr(row, column, value)
    return changed
