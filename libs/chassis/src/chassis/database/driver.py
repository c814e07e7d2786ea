"""Statements sent by the driver itself, for paths that are measured in thousands a second.

The same statement costs an order of magnitude less processor time than through SQLAlchemy, of whose pool the connection
still is. Each is a transaction of its own. Rows are asyncpg's records; JSON goes in as text and comes out as values;
errors are asyncpg's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

# A name after a single colon; `::type` is a cast.
_NAME: Final = re.compile(r"(?<!:):([a-z_][a-z0-9_]*)")


class Statement:
    """SQL with :named parameters. Build it once, as a constant."""

    __slots__ = ("_names", "sql")

    def __init__(self, sql: str) -> None:
        numbers: dict[str, int] = {}

        def number(match: re.Match[str]) -> str:
            return f"${numbers.setdefault(match[1], len(numbers) + 1)}"

        self.sql = _NAME.sub(number, sql)
        self._names = tuple(numbers)

    def arguments(self, parameters: Mapping[str, Any]) -> list[Any]:
        """In the driver's order; what the statement does not name is ignored. Raises KeyError for a missing one."""
        return [parameters[name] for name in self._names]
