from __future__ import annotations

from typing import Any

import pytest
from gateway.openapi.base import base_document
from gateway.openapi.merge import merge
from openapi_spec_validator import OpenAPIV31SpecValidator


def reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def operation(operation_id: str | None, schema: str, tag: str | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {
        "responses": {"200": {"description": "ok", "content": {"application/json": {"schema": reference(schema)}}}}
    }
    if operation_id:
        made["operationId"] = operation_id
    if tag:
        made["tags"] = [tag]
    return made


def document(paths: dict[str, Any], **schemas: Any) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {"title": "x", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


ITEM = {"type": "object", "properties": {"id": {"type": "string"}}}
OTHER = {"type": "object", "properties": {"id": {"type": "integer"}}}
PROVIDER = {"name": "provider", "in": "path", "required": True, "schema": {"type": "string"}}
PAGE = {"type": "object", "properties": {"data": {"type": "array", "items": reference("Item")}}}


def merged(**documents: Any) -> dict[str, Any]:
    made = merge(documents, base=base_document())
    OpenAPIV31SpecValidator(made).validate()
    return made


def test_equal_components_are_kept_once() -> None:
    made = merged(
        sales=document({"/api/v1/sales": {"get": operation("list_sales", "Item")}}, Item=ITEM),
        catalog=document({"/api/v1/products": {"get": operation("list_products", "Item")}}, Item=ITEM),
    )
    assert set(made["components"]["schemas"]) >= {"Item"}
    assert not any(name.endswith("Item") and name != "Item" for name in made["components"]["schemas"])


def test_components_that_differ_are_prefixed_everywhere_and_so_is_what_refers_to_them() -> None:
    made = merged(
        sales=document({"/api/v1/sales": {"get": operation("a", "Page")}}, Item=ITEM, Page=PAGE),
        catalog=document({"/api/v1/products": {"get": operation("b", "Page")}}, Item=OTHER, Page=PAGE),
    )
    schemas = made["components"]["schemas"]
    assert {"SalesItem", "CatalogItem", "SalesPage", "CatalogPage"} <= set(schemas)
    assert not {"Item", "Page"} & set(schemas)
    assert schemas["SalesPage"]["properties"]["data"]["items"] == reference("SalesItem")
    content = made["paths"]["/api/v1/products"]["get"]["responses"]["200"]["content"]
    assert content["application/json"]["schema"] == reference("CatalogPage")
    assert schemas["CatalogItem"] == OTHER


def test_discriminators_follow_a_renaming() -> None:
    union = {
        "oneOf": [reference("Item")],
        "discriminator": {"propertyName": "kind", "mapping": {"item": "#/components/schemas/Item"}},
    }
    made = merged(
        sales=document({"/api/v1/sales": {"get": operation("a", "Union")}}, Item=ITEM, Union=union),
        catalog=document({"/api/v1/products": {"get": operation("b", "Item")}}, Item=OTHER),
    )
    discriminator = made["components"]["schemas"]["Union"]["discriminator"]
    assert discriminator["mapping"] == {"item": "#/components/schemas/SalesItem"}


def test_operation_ids_are_unique_and_never_missing() -> None:
    made = merged(
        sales=document(
            {"/api/v1/sales": {"get": operation("get", "Item"), "post": operation(None, "Item")}}, Item=ITEM
        ),
        catalog=document({"/api/v1/products": {"get": operation("get", "Item")}}, Item=ITEM),
        auth=document({"/api/v1/users": {"get": operation("get", "Item")}}, Item=ITEM),
    )
    ids = [item["operationId"] for path in made["paths"].values() for item in path.values()]
    assert len(ids) == len(set(ids)) == 5
    assert "post_api_v1_sales" in ids


def test_paths_of_another_service_and_internal_paths_are_left_out() -> None:
    made = merged(
        sales=document(
            {
                "/api/v1/payments": {"get": operation("stolen", "Item")},
                "/internal/x": {"get": operation("internal", "Item")},
                "/api/v1/sales": {"get": operation("own", "Item")},
            },
            Item=ITEM,
        )
    )
    assert set(made["paths"]) == {"/health", "/api/v1/sales"}


def test_security_follows_the_routing_table() -> None:
    made = merged(
        auth=document(
            {
                "/api/v1/auth/login": {"post": operation("login", "Item")},
                "/api/v1/auth/me": {"get": operation("me", "Item")},
            },
            Item=ITEM,
        ),
        webhooks=document(
            {"/webhooks/{provider}": {"parameters": [PROVIDER], "post": operation("hook", "Item")}}, Item=ITEM
        ),
    )
    assert made["paths"]["/api/v1/auth/login"]["post"]["security"] == []
    assert made["paths"]["/webhooks/{provider}"]["post"]["security"] == []
    assert made["paths"]["/api/v1/auth/me"]["get"]["security"] == [{"bearer": []}]
    assert set(made["components"]["securitySchemes"]) == {"bearer"}


def test_every_operation_has_tags_and_the_gateways_own_errors() -> None:
    made = merged(sales=document({"/api/v1/sales": {"get": operation("a", "Item", "sales")}}, Item=ITEM))
    found = made["paths"]["/api/v1/sales"]["get"]
    assert found["tags"] == ["sales"]
    assert {"429", "502", "503", "504"} <= set(found["responses"])
    assert [tag["name"] for tag in made["tags"]] == ["health", "sales"]
    assert "x-added-responses" not in made


def test_the_result_does_not_depend_on_the_order() -> None:
    sales = document({"/api/v1/sales": {"get": operation("get", "Item")}}, Item=ITEM)
    catalog = document({"/api/v1/products": {"get": operation("get", "Item")}}, Item=OTHER)
    assert merged(sales=sales, catalog=catalog) == merged(catalog=catalog, sales=sales)


@pytest.mark.parametrize("broken", [{}, {"components": {}}, {"paths": {}}])
def test_a_document_without_parts_adds_nothing(broken: dict[str, Any]) -> None:
    assert set(merged(sales=broken)["paths"]) == {"/health"}
