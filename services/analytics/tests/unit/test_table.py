import csv
import io
from decimal import Decimal

import pytest
from analytics.table import csv_response, wants_csv


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, False),
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("text/html", False),
        ("text/csv", True),
        ("TEXT/CSV; charset=utf-8", True),
        ("application/json;q=0.5, text/csv", True),
        ("application/json, text/csv;q=0.9", False),
        ("text/csv, application/json", False),
        ("text/csv;q=0", False),
        ("text/csv;q=nonsense", False),
        ("text/csv;q=nan", False),
        (";;,,=", False),
    ],
)
def test_csv_for_those_who_prefer_it(accept: str | None, expected: bool) -> None:
    assert wants_csv(accept) is expected


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_no_text_begins_a_formula(text: str) -> None:
    [_, [cell]] = _parsed([[text]])

    assert cell == f"'{text}"


def test_numbers_stay_numbers_and_texts_stay_one_cell() -> None:
    [header, row] = _parsed([[Decimal("-1.50"), -3, None, 'Café, "La" \n 🌮']])

    assert header == ["a"]
    assert row == ["-1.50", "-3", "", 'Café, "La" \n 🌮']


def _parsed(rows: list[list[str | int | Decimal | None]]) -> list[list[str]]:
    response = csv_response("name", ["a"], rows)
    return list(csv.reader(io.StringIO(bytes(response.body).decode(), newline="")))
