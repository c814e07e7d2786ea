import contextlib
import io
from decimal import Decimal

import pytest
from catalog.sheets import reading
from catalog.sheets.reading import MAX_ERRORS, Problems, Sheet
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel import CobroError, Currency, InvalidInput, TooLarge, new_id


def read(content: bytes | str, currency: Currency = Currency.MXN):
    problems, lines = Problems(), []
    sheet = Sheet(io.BytesIO(content.encode() if isinstance(content, str) else content), currency, problems)
    while (batch := sheet.read(7)) is not None:
        lines += batch
        if problems.full:
            break
    return lines, [(error.field, error.message) for error in problems.errors]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_spreadsheets_write(mark: bytes, delimiter: str, end: str) -> None:
    rows = [["SKU", "Nombre", "Precio", "Existencias", "IVA"], ["A-1", '"Café ""de"" olla"', '"12,50"', "7", "16%"], []]
    lines, errors = read(mark + end.join(delimiter.join(row) for row in rows).encode())

    assert errors == []
    assert [(line.number, line.stock, dict(line.values)) for line in lines] == [
        (2, 7, {"sku": "A-1", "name": 'Café "de" olla', "price": Decimal("12.50"), "tax_rate": Decimal("0.16")})
    ]


def test_an_empty_cell_clears_what_may_be_empty_and_says_nothing_of_the_rest() -> None:
    identifier = new_id()
    lines, errors = read(f"id,sku,barcode,cost,taxRate,minStock,isActive,stock\n{identifier},A,,,,,,\n")
    assert errors == []
    assert (lines[0].id, dict(lines[0].values), lines[0].stock) == (
        identifier,
        {"sku": "A", "barcode": None, "cost": None},
        None,
    )


def test_each_error_names_its_line_and_column() -> None:
    rows = [
        "name,price,taxRate,stock,imageUrl",
        '"two\nlines",1,,,',
        "a,1.234,,,",
        'b,"1,234",,,',
        ",1,,,",
        "c,1,2,x,",
        "d,1,,,javascript:alert(1)",
        "e,1",
        "f,-1,,99999999999,",
    ]
    lines, errors = read("\n".join(rows))
    assert [line.values["name"] for line in lines] == ["two\nlines"]
    assert [field for field, _ in errors] == [
        "line 4: price",
        "line 5: price",
        "line 6: name",
        "line 7: stock",
        "line 7: taxRate",
        "line 8: imageUrl",
        "line 9",
        "line 10: stock",
        "line 10: price",
    ]


def test_other_encodings_are_told_by_line() -> None:
    _, errors = read(b"name,price\nPan,1\n" + "Café,2\n".encode("latin-1"))
    assert errors == [("line 3: name", "is not UTF-8")]


def test_whole_pesos_where_there_are_no_centavos() -> None:
    lines, errors = read("name,price\na,1990\nb,1.990\nc,19.5\n", Currency.CLP)
    assert ([line.number for line in lines], [field for field, _ in errors]) == (
        [2],
        ["line 3: price", "line 4: price"],
    )


@pytest.mark.parametrize(
    "content", ["", "\n", "name,precio,nombre\n", "name,=cmd\n", "price\n1\n", '"name\n', "a\x00b,name\n"]
)
def test_a_header_that_is_not_understood(content: str) -> None:
    with pytest.raises(InvalidInput):
        read(content)


def test_many_errors_are_told_and_not_all() -> None:
    _, errors = read("name,price\n" + "a,x\n" * 1000)
    assert len(errors) == MAX_ERRORS


def test_a_file_has_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_ROWS", 3)
    with pytest.raises(TooLarge):
        read("name,price\n" + "a,1\n" * 4)


@settings(max_examples=60)
@given(st.binary(max_size=80) | st.text(alphabet="\x00\",;\n\r='é1,.-ﬀ", max_size=40).map(str.encode))
def test_no_bytes_are_too_odd(content: bytes) -> None:
    for header in (b"name,price,stock,id\n", b""):
        with contextlib.suppress(CobroError):
            read(header + content)
