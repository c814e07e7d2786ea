"""What every operation of the merged document gets where its service has not said it: examples, and the headers that
come with each answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gateway.openapi.examples import NoExample, Schema, example_of

_JSON: Final = "application/json"
_METHODS: Final = ("get", "put", "post", "delete", "patch", "head", "options")
_WAITING: Final = frozenset({"429", "503"})


def complete(document: dict[str, Any]) -> None:
    """Changes the document. Nothing that is there is replaced."""
    components = document["components"]

    def resolve(reference: str) -> Schema:
        kind, name = reference.removeprefix("#/components/").split("/", 1)
        found: Schema = components[kind][name]
        return found

    for operation in _operations(document):
        _exemplify(operation.get("requestBody", {}), resolve, whole=False)
        for status, response in operation["responses"].items():
            if "$ref" in response:
                continue
            _add_headers(response, status, components)
            example = f"Error{status}"
            media = response.get("content", {}).get(_JSON)
            if status < "400":
                _exemplify(response, resolve, whole=True)
            elif media is not None and not _has_example(media) and example in components.get("examples", {}):
                media["examples"] = {status: {"$ref": f"#/components/examples/{example}"}}


def _operations(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for item in document["paths"].values():
        for method in _METHODS:
            if method in item:
                yield item[method]


def _exemplify(holder: dict[str, Any], resolve: Any, *, whole: bool) -> None:
    media = holder.get("content", {}).get(_JSON)
    if media is None or "schema" not in media or _has_example(media):
        return
    try:
        media["example"] = example_of(media["schema"], resolve, whole=whole)
    except NoExample:
        return


def _has_example(media: Mapping[str, Any]) -> bool:
    return "example" in media or "examples" in media


def _add_headers(response: dict[str, Any], status: str, components: Mapping[str, Any]) -> None:
    wanted = {"X-Request-Id": "RequestId", "RateLimit": "RateLimit", "RateLimit-Policy": "RateLimitPolicy"}
    if status in _WAITING:
        wanted["Retry-After"] = "RetryAfter"
    headers = response.setdefault("headers", {})
    for name, component in wanted.items():
        if component in components.get("headers", {}):
            headers.setdefault(name, {"$ref": f"#/components/headers/{component}"})
