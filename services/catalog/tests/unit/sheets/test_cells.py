import pytest
from catalog.sheets.cells import decimal, fraction, neutral, plain, truth, whole
from catalog.sheets.columns import COLUMNS, Language, field_of
from hypothesis import example, given, settings
from hypothesis import strategies as st

_TRICKY = st.text(alphabet="'=+-@\t＝a1 ,\"", max_size=8)


@settings(max_examples=60)
@given(_TRICKY | st.text(max_size=20))
@example("'=1+1")
@example("''@x")
def test_what_is_neutralised_comes_back_whatever_it_was(text: str) -> None:
    assert plain(neutral(text)) == text
    assert neutral(text)[:1] not in {"=", "+", "-", "@", "\t", "＝", "＋", "－", "＠"}


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("12.50", "12.50"),
        ("12,50", "12.50"),
        ("12,5", "12.5"),
        ("1,234", "1,234"),
        ("1.234,50", "1.234,50"),
        ("x", "x"),
    ],
)
def test_a_comma_is_a_decimal_one_where_it_can_be_nothing_else(cell: str, meant: str) -> None:
    assert decimal(cell) == meant


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("16%", "0.16"),
        ("8 %", "0.08"),
        ("0.16", "0.16"),
        ("0,16", "0.16"),
        ("5.5%", "0.055"),
        ("100%", "1.00"),
        ("-1%", "-1%"),
    ],
)
def test_a_rate_is_a_fraction_or_a_percentage(cell: str, meant: str) -> None:
    assert fraction(cell) == meant


def test_words_and_numbers_that_are_none_are_left_for_validation() -> None:
    assert [whole(cell) for cell in ("12", "-3", "1.5", "９", "1" * 30)] == [12, -3, "1.5", "９", "1" * 30]
    assert [truth(cell) for cell in ("Sí", "SIM", "no", "Não", "0", "quizá")] == [
        True,
        True,
        False,
        False,
        False,
        "quizá",
    ]


def test_every_header_is_understood_in_its_language_and_loosely() -> None:
    for column in COLUMNS:
        assert {field_of(column.header(language)) for language in Language} == {column.field}
    assert [field_of(name) for name in (" PRECIO ", "preco", "Código_de_Barras", "tax_rate", "=cmd")] == [
        "price",
        "price",
        "barcode",
        "taxRate",
        None,
    ]
