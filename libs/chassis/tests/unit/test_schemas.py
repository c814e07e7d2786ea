from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from chassis.http.schemas import Amount
from pydantic import TypeAdapter, ValidationError

_AMOUNT: TypeAdapter[Decimal] = TypeAdapter(Amount)


@pytest.mark.parametrize(
    ("given", "read"),
    [("150.50", "150.50"), ("0", "0"), ("-1.5", "-1.5"), (150, "150"), (150.5, "150.5"), (0.1, "0.1"), (1e-7, "1E-7")],
)
def test_amounts_are_what_the_client_wrote(given: Any, read: str) -> None:
    assert _AMOUNT.validate_python(given) == Decimal(read)


@pytest.mark.parametrize(
    "given",
    [
        *("", " ", " 1", "1 ", "+1", "1.", ".5", "1,50", "$1", "0x10", "1_000", "1e2", "١٢٣", "NaN", "Infinity", "-"),
        *("9" * 17, "0." + "1" * 40, True, None, [], {}, float("nan"), float("inf"), 10**40, "1\n"),
    ],
)
def test_everything_that_could_be_read_in_two_ways_is_refused(given: Any) -> None:
    with pytest.raises(ValidationError):
        _AMOUNT.validate_python(given)


def test_amounts_leave_as_plain_decimal_strings() -> None:
    assert _AMOUNT.dump_json(Decimal("1E+3")) == b'"1000"'
