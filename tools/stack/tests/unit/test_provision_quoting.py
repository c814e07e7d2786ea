"""Whatever is in a name or password, the statements stay the ones that were written."""

import pytest
from chassis.database.provision import app_url, owner_url, provision, quote_identifier, quote_literal, render


@pytest.mark.parametrize(
    ("value", "quoted"),
    [("plain", "'plain'"), ("it's", "'it''s'"), ("", "''"), ("back\\slash", " E'back\\\\slash'")],
)
def test_literals(value: str, quoted: str) -> None:
    assert quote_literal(value) == quoted


@pytest.mark.parametrize(("value", "quoted"), [("auth", '"auth"'), ('a"b', '"a""b"')])
def test_identifiers(value: str, quoted: str) -> None:
    assert quote_identifier(value) == quoted


@pytest.mark.parametrize("value", ["zero\x00byte", "ends $$ a body"])
def test_what_cannot_be_quoted_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="zero byte"):
        render("ALTER ROLE x PASSWORD :'password'", {"password": value})


def test_each_placeholder_is_replaced_in_its_own_way() -> None:
    assert render(""":"a" = :'a', b::text""", {"a": "x'\"y"}) == """"x'""y" = 'x''"y', b::text"""


def test_a_placeholder_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="owner"):
        render(':"owner"', {})


def test_addresses_keep_the_server_and_its_options() -> None:
    admin = "postgresql://root:top@db.example:6432/postgres?sslmode=require"
    assert app_url(admin, "cobro", "auth", lambda role: f"{role}/p@ss") == (
        "postgresql://auth_app:auth_app%2Fp%40ss@db.example:6432/cobro?sslmode=require"
    )
    assert (
        owner_url("postgresql://h/postgres", "cobro", "auth", lambda role: "p") == "postgresql://auth_owner:p@h/cobro"
    )


@pytest.mark.parametrize(
    ("database", "service"), [("Cobro", "auth"), ("cobro", "auth; DROP"), ("", "auth"), ("c", "1a")]
)
async def test_odd_names_are_refused_before_anything_is_asked(database: str, service: str) -> None:
    with pytest.raises(ValueError, match="lower-case"):
        await provision(
            "postgresql://nowhere.invalid/x", database=database, services=[service], password=lambda role: "p"
        )
