import pytest
from chassis.database import Statement


def test_each_name_is_one_numbered_parameter() -> None:
    statement = Statement("SELECT :b, :a::text, :b FROM t WHERE x = ANY(:list_1)")
    assert statement.sql == "SELECT $1, $2::text, $1 FROM t WHERE x = ANY($3)"
    assert statement.arguments({"a": 1, "b": 2, "list_1": [3], "unused": 4}) == [2, 1, [3]]


def test_a_missing_parameter_is_an_error() -> None:
    with pytest.raises(KeyError):
        Statement("SELECT :a").arguments({})
