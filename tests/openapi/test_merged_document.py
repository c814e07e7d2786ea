"""The merged OpenAPI document of the real services: built from their own applications, without any server."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest
from chassis.http.app import create_app
from chassis.runtime import Kit
from chassis.settings import ServiceSettings, load
from chassis.testing.service import COMMON
from gateway.openapi.base import base_document
from gateway.openapi.merge import merge
from gateway.routing.table import UPSTREAMS
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from stack.repository import ROOT

Document = dict[str, Any]
METHODS = {"get", "put", "post", "delete", "patch", "head", "options"}


async def document_of(name: str) -> Document:
    """What the service would publish at /openapi.json."""
    module = importlib.import_module(f"{name}.settings")
    settings = next(
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, ServiceSettings) and value is not ServiceSettings
    )
    kit: Kit[Any] = Kit(name, load(settings))
    try:
        service = await importlib.import_module(f"{name}.app").build(kit)
        return create_app(name, context=None, verifier=None, routers=service.routers, checks={}).openapi()
    finally:
        await kit.close()


@pytest.fixture(scope="module")
async def document() -> Document:
    with pytest.MonkeyPatch.context() as patch:
        for line in (ROOT / ".env.example").read_text().splitlines():
            name, equals, value = line.partition("=")
            if equals and not line.startswith("#"):
                patch.setenv(name, value.strip("\"'"))
        for name, value in COMMON.items():
            patch.setenv(name, value)
        documents = {name: await document_of(name) for name in UPSTREAMS}
    return merge(documents, base=base_document())


def operations(document: Document) -> Iterator[tuple[str, Document]]:
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            yield f"{method.upper()} {path}", item[method]


def test_it_is_valid(document: Document) -> None:
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"].startswith("3.1")
    assert len(list(operations(document))) > 60


def test_operation_ids_are_unique(document: Document) -> None:
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids))


def test_every_tag_says_what_it_is_about_and_whose_it_is(document: Document) -> None:
    described = {tag["name"]: tag for tag in document["tags"]}
    used = {name for _, operation in operations(document) for name in operation["tags"]}
    assert used == set(described)
    for name, tag in described.items():
        assert tag["description"] not in {"", name, tag.get("x-service")}, f"describe {name} in gateway.openapi.tags"


def test_every_operation_is_described_and_secured(document: Document) -> None:
    assert document["components"]["securitySchemes"].keys() == {"bearer"}
    public = {name for name, operation in operations(document) if operation["security"] == []}
    assert all(operation.get("summary") for _, operation in operations(document))
    assert public == {
        "GET /health",
        "GET /.well-known/jwks.json",
        "POST /api/v1/auth/register",
        "POST /api/v1/auth/login",
        "POST /api/v1/auth/refresh",
        "POST /api/v1/auth/password/forgot",
        "POST /api/v1/auth/password/reset",
        "GET /api/v1/pay/{method_key}",
        "POST /api/v1/pay/{method_key}",
        "GET /api/v1/unsubscribe/{unsubscribe_token}",
        "POST /api/v1/unsubscribe/{unsubscribe_token}",
        "POST /api/v1/notifications/callbacks/twilio",
        "POST /api/v1/notifications/callbacks/sendgrid",
        *(name for name in public if "/webhooks/" in name),
    }


def test_every_error_has_the_one_form_and_an_example(document: Document) -> None:
    wanted = {"400", "401", "403", "404", "409", "413", "422", "429", "502", "503", "504"}
    for name, operation in operations(document):
        if name == "GET /health":
            continue
        assert wanted <= operation["responses"].keys(), name
        for status in wanted:
            media = operation["responses"][status]["content"]["application/json"]
            assert media["schema"] == {"$ref": "#/components/schemas/ErrorBody"}, (name, status)
            assert media["examples"], (name, status)
        assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= operation["responses"]["429"]["headers"].keys()


def test_bodies_have_examples_that_are_of_their_schema(document: Document) -> None:
    missing, wrong, seen = [], [], 0
    for name, operation in operations(document):
        holders = {"request": operation.get("requestBody", {})}
        holders |= {status: response for status, response in operation["responses"].items() if status < "400"}
        for what, holder in holders.items():
            media = holder.get("content", {}).get("application/json")
            if media is None or media.get("schema") in ({}, None):
                continue
            seen += 1
            if "example" not in media and "examples" not in media:
                missing.append(f"{name} {what}")
            elif "example" in media:
                schema = {**media["schema"], "components": document["components"]}
                errors = [error.message for error in OAS31Validator(schema).iter_errors(media["example"])]
                wrong += [f"{name} {what}: {error}" for error in errors[:1]]
    assert seen > 60
    assert not wrong
    assert not missing
