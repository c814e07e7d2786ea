from decimal import Decimal

import pytest
from kernel import Currency, InvalidInput, new_id
from payments.counter.form import read_form
from payments.counter.texts import language_of


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("150.50", Currency.MXN, "150.50"),
        ("150,5", Currency.ARS, "150.5"),
        (" $150 ", Currency.MXN, "150"),
        ("1500", Currency.CLP, "1500"),
        ("1500.00", Currency.CLP, "1500"),
    ],
)
def test_amounts_as_people_write_them(text, currency, amount):
    form = read_form(f"amount={text}".encode())
    assert form.amount(currency) == Decimal(amount)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("", Currency.MXN),
        ("0", Currency.MXN),
        ("0.00", Currency.MXN),
        ("-5", Currency.MXN),
        ("1e3", Currency.MXN),
        ("NaN", Currency.MXN),
        ("٣", Currency.MXN),
        # A thousand and a half to some, one and a half to others.
        ("1.500", Currency.COP),
        ("1,500.00", Currency.MXN),
        ("1500.5", Currency.CLP),
        ("1" * 13, Currency.MXN),
    ],
)
def test_what_could_be_read_in_two_ways_is_not_read_at_all(text, currency):
    with pytest.raises(InvalidInput) as caught:
        read_form(f"amount={text}".encode()).amount(currency)
    assert caught.value.code == "amount_invalid"


@pytest.mark.parametrize("body", [b"", b"\xff\xfe=%ff", b"&" * 50, b"a=1&" * 500, b"token=short", b"payment=1"])
def test_any_bytes_are_a_form(body):
    form = read_form(body)
    assert len(form.token) >= 16
    assert form.payment_id is None


def test_the_token_makes_a_repetition_the_same():
    token, payment_id = "abcdefghijklmnop_-", new_id()
    form = read_form(f"token={token}&payment={payment_id}&note=Mesa+4&lang=pt".encode())
    assert (form.token, form.payment_id, form.checked_note(), form.lang) == (token, payment_id, "Mesa 4", "pt")


@pytest.mark.parametrize("note", ["a" * 81, "a%00b", "a%0Ab"])
def test_notes_are_short_and_printable(note):
    with pytest.raises(InvalidInput):
        read_form(f"note={note}".encode()).checked_note()


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        (None, None, "es"),
        ("pt", "en-US,en;q=0.9", "pt"),
        (None, "fr-FR, pt-BR;q=0.8, en;q=0.5", "pt"),
        ("xx", "EN", "en"),
        ("<script>", "de", "es"),
    ],
)
def test_the_language(chosen, accepted, language):
    assert language_of(chosen, accepted) == language
