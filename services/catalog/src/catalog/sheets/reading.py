"""A file's rows, validated one by one: what is wrong is told by line, and much of it at once."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import IO, Any, Final
from uuid import UUID

from kernel import Currency, FieldError, InvalidInput, TooLarge
from pydantic import ValidationError

from catalog.products.amounts import stored
from catalog.products.schemas import ProductPatch
from catalog.sheets import cells
from catalog.sheets.columns import ID, STOCK, field_of
from catalog.stock.schemas import MAX_QUANTITY

MAX_ROWS: Final = 100_000
MAX_ERRORS: Final = 100
_SAMPLE: Final = 64 << 10
_READ: Final[Mapping[str, Callable[[str], Any]]] = MappingProxyType(
    {
        "price": cells.decimal,
        "cost": cells.decimal,
        "taxRate": cells.fraction,
        "minStock": cells.whole,
        "isActive": cells.truth,
    }
)
# An empty cell of these says nothing; of all other columns it says that the product has none.
_SILENT: Final = frozenset({"taxRate", "minStock", "isActive"})


@dataclass(frozen=True, slots=True)
class Line:
    """One product of the file. values: columns of the table, only those that the file has. stock: what lies in the
    branch, None where the file does not say."""

    number: int
    id: UUID | None
    values: Mapping[str, Any]
    stock: int | None


@dataclass(slots=True)
class Problems:
    """What is wrong with a file so far, told up to MAX_ERRORS."""

    errors: list[FieldError] = field(default_factory=list)

    @property
    def full(self) -> bool:
        return len(self.errors) >= MAX_ERRORS

    def add(self, line: int, column: str, message: str) -> None:
        if not self.full:
            self.errors.append(FieldError(f"line {line}: {column}" if column else f"line {line}", message))

    def raise_any(self) -> None:
        """Raises InvalidInput (invalid_rows)."""
        if self.errors:
            message = "Nothing was imported" + (f"; the first {MAX_ERRORS} errors are" if self.full else "")
            raise InvalidInput(message, code="invalid_rows", errors=self.errors)


class Sheet:
    """UTF-8 with or without a byte order mark; comma, semicolon or tab; a header in any order and language.

    Reads only as far as it is asked to, in calls that block: run them in a thread.
    """

    def __init__(self, file: IO[bytes], currency: Currency, problems: Problems) -> None:
        """Raises InvalidInput for a header that is not understood."""
        file.seek(0)
        sample = file.read(_SAMPLE)
        file.seek(0)
        # What is no UTF-8 comes out as surrogates, so that it can be told by line.
        self._text = io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")
        self._reader = csv.reader(self._text, delimiter=_delimiter(sample), strict=True)
        self._currency = currency
        self._problems = problems
        self._count = 0
        self._columns = self._header()

    def detach(self) -> None:
        """Give the file back open."""
        self._text.detach()

    def read(self, limit: int) -> list[Line] | None:
        """The next rows, at most `limit` of them looked at; those with errors are left out. None at the end.

        Raises TooLarge beyond MAX_ROWS.
        """
        found: list[Line] = []
        for _ in range(limit):
            number = self._reader.line_num + 1
            try:
                row = next(self._reader)
            except StopIteration:
                return found or None
            except csv.Error as error:
                self._problems.add(number, "", f"is not CSV: {error}")
                return found or None
            if not any(row):
                continue
            self._count += 1
            if self._count > MAX_ROWS:
                raise TooLarge(f"A file has at most {MAX_ROWS} products", code="too_many_rows")
            line = self._line(number, row)
            if line is not None:
                found.append(line)
        return found

    @property
    def count(self) -> int:
        """Products seen so far."""
        return self._count

    def _header(self) -> Sequence[str]:
        try:
            header = next(self._reader, [])
        except csv.Error as error:
            raise InvalidInput.field("line 1", f"is not CSV: {error}") from None
        fields = [field_of(name) for name in header]
        errors = [
            FieldError("line 1", f'has a column that is not known: "{_shown(name)}"')
            for name, known in zip(header, fields, strict=True)
            if known is None
        ]
        columns = [known for known in fields if known is not None]
        twice = sorted({name for name in columns if columns.count(name) > 1})
        errors += [FieldError("line 1", f"names {name} twice") for name in twice]
        if not errors and not {ID, "sku", "name"} & set(columns):
            errors = [FieldError("line 1", "must name the columns, among them id, sku or name")]
        if errors:
            raise InvalidInput("Nothing was imported", code="invalid_header", errors=errors[:MAX_ERRORS])
        return columns

    def _line(self, number: int, row: Sequence[str]) -> Line | None:
        before = len(self._problems.errors)
        if len(row) != len(self._columns):
            self._problems.add(number, "", f"has {len(row)} columns where the header has {len(self._columns)}")
            return None
        given: dict[str, Any] = {}
        for column, cell in zip(self._columns, row, strict=True):
            if any("\ud800" <= letter <= "\udfff" for letter in cell) if not cell.isascii() else False:
                self._problems.add(number, column, "is not UTF-8")
                continue
            text = cells.plain(cell.strip())
            if text:
                given[column] = _READ[column](text) if column in _READ else text
            elif column not in _SILENT and column not in (ID, STOCK):
                given[column] = None
        identifier = self._id(number, given.pop(ID, None))
        stock = self._stock(number, given.pop(STOCK, None))
        values = self._values(number, given)
        if len(self._problems.errors) > before or values is None:
            return None
        return Line(number, identifier, values, stock)

    def _id(self, number: int, cell: str | None) -> UUID | None:
        if cell is None:
            return None
        try:
            return UUID(cell)
        except ValueError:
            self._problems.add(number, ID, "must be the id of a product, or empty")
            return None

    def _stock(self, number: int, cell: str | None) -> int | None:
        if cell is None:
            return None
        stock = cells.whole(cell)
        if isinstance(stock, str) or abs(stock) > MAX_QUANTITY:
            self._problems.add(number, STOCK, f"must be a whole number up to {MAX_QUANTITY}")
            return None
        return stock

    def _values(self, number: int, given: Mapping[str, Any]) -> Mapping[str, Any] | None:
        try:
            patch = ProductPatch.model_validate(given)
            return stored(patch, patch.model_fields_set, self._currency)
        except ValidationError as error:
            for item in error.errors(include_url=False, include_input=False, include_context=False):
                self._problems.add(number, str(item["loc"][0]), str(item["msg"]).removeprefix("Value error, "))
        except InvalidInput as error:
            for problem in error.errors:
                self._problems.add(number, problem.field, problem.message)
        return None


def _delimiter(sample: bytes) -> str:
    """The one that the header has most of."""
    header = sample.split(b"\n", 1)[0]
    return max(",;\t", key=lambda mark: header.count(mark.encode()))


def _shown(header: str) -> str:
    """A header as an error may repeat it."""
    return "".join(letter if letter.isprintable() else "?" for letter in header[:40])
