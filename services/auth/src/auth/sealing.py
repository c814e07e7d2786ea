"""Reading and writing the encrypted columns of a row as if they were plain.

A model names its encrypted columns in `SEALED`. Each value is bound to its table, column and row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Changes:
    """The columns that really changed, with their plain values."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.after)

    def __iter__(self) -> Iterator[str]:
        return iter(self.after)

    def __contains__(self, column: str) -> bool:
        return column in self.after


def assign(cipher: FieldCipher, row: SealedRow, values: Mapping[str, Any]) -> Changes:
    """Write plain values to a row, and tell what that changed."""
    before = {column: reveal(cipher, row, column) for column in values}
    after = {column: value for column, value in values.items() if before[column] != value}
    for column, value in after.items():
        sealed = value is not None and column in row.SEALED
        setattr(row, column, seal(cipher, row.__tablename__, column, row.id, value) if sealed else value)
    return Changes({column: before[column] for column in after}, after)
