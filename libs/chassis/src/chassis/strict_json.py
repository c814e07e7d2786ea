"""JSON from outside, read one way only."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn


class InvalidJson(ValueError):
    """No JSON, or JSON that two parsers could read differently."""


def strict_json(body: bytes) -> Any:
    """UTF-8, no duplicate keys, no NaN or Infinity; decimals come as Decimal. Raises InvalidJson."""
    try:
        return json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=Decimal,
        )
    except InvalidJson:
        raise
    except (ValueError, RecursionError):
        pass
    # Raised here and not above: the decoder's own error holds the whole document, and would be its context.
    raise InvalidJson("not well-formed")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise InvalidJson("duplicate key")
    return result


def _refuse_constant(_: str) -> NoReturn:
    raise InvalidJson("not a JSON number")
