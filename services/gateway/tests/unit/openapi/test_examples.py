from __future__ import annotations

from typing import Any

import pytest
from gateway.openapi.complete import complete
from gateway.openapi.examples import NoExample, example_of
from gateway.openapi.tags import tag

SCHEMAS: dict[str, Any] = {
    "Sale": {
        "type": "object",
        "required": ["id", "total"],
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "total": {"type": "string", "pattern": r"^\d+\.\d{2}$"},
            "status": {"$ref": "Status"},
            "lines": {"type": "array", "items": {"$ref": "Line"}},
            "deletedAt": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
        },
    },
    "Status": {"type": "string", "enum": ["PENDING", "COMPLETED"]},
    "Line": {"type": "object", "properties": {"quantity": {"anyOf": [{"type": "number"}, {"type": "string"}]}}},
    "Tree": {"type": "object", "required": ["child"], "properties": {"child": {"$ref": "Tree"}}},
    "Leafy": {"type": "object", "properties": {"child": {"anyOf": [{"$ref": "Leafy"}, {"type": "null"}]}}},
}


def made(name: str, *, whole: bool = True) -> Any:
    return example_of({"$ref": name}, SCHEMAS.__getitem__, whole=whole)


def test_an_example_has_what_a_field_is_for() -> None:
    sale = made("Sale")
    assert (sale["total"], sale["status"], sale["deletedAt"]) == ("150.50", "PENDING", None)
    assert sale["lines"] == [{"quantity": "2"}]
    assert len(sale["id"]) == 36


def test_a_request_has_what_it_must_have() -> None:
    assert set(made("Sale", whole=False)) == {"id", "total"}


def test_a_schema_within_itself_ends() -> None:
    assert made("Leafy") == {"child": None}
    with pytest.raises(NoExample):
        made("Tree")


def test_a_pattern_that_nothing_known_fits_has_no_example() -> None:
    with pytest.raises(NoExample):
        example_of({"type": "string", "pattern": "^[xyz]{9}$"}, SCHEMAS.__getitem__)


def test_what_a_service_says_itself_is_kept() -> None:
    media = {"schema": {"type": "string"}, "example": "mine"}
    headers = {"RateLimit": {"description": "mine", "schema": {"type": "string"}}}
    response = {"description": "ok", "content": {"application/json": media}, "headers": headers}
    document = {
        "paths": {"/x": {"get": {"responses": {"200": response}}}},
        "components": {"headers": {"RateLimit": {}, "RetryAfter": {}}, "examples": {}},
    }
    complete(document)
    assert media["example"] == "mine"
    assert headers["RateLimit"]["description"] == "mine"
    assert set(headers) == {"RateLimit"}


def test_a_tag_nobody_has_described_is_still_somebodys() -> None:
    assert tag("novelties", "sales") == {"name": "novelties", "description": "sales", "x-service": "sales"}
    assert tag("sales", "sales")["description"].endswith("· sales")
