"""Many OpenAPI 3.1 documents into one: pure, and the same for the same input in any order.

A component that means the same in all documents is kept once; one that does not is prefixed with its service's name, in
all of them. What a component refers to counts as part of what it means.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from gateway.openapi.complete import complete
from gateway.openapi.tags import tag
from gateway.routing.table import is_public, opens_by_key, owner_of

Document = Mapping[str, Any]

_METHODS: Final = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
_REFERENCE: Final = re.compile(r"#/components/([A-Za-z]+)/(.+)")
_SECURITY: Final = "bearer"


def merge(documents: Mapping[str, Document], *, base: Document) -> dict[str, Any]:
    """documents: by service. base: the gateway's own document, with info, servers, paths and the errors it adds itself.

    Its `x-added-responses` go to every operation of a service. Paths that a service does not own in the routing table
    are left out.
    """
    parts = {"gateway": base, **{name: documents[name] for name in sorted(documents)}}
    renamed = _clashes(parts)
    merged: dict[str, Any] = {
        **{key: deepcopy(base[key]) for key in ("openapi", "info", "servers")},
        "paths": {},
        "components": {"securitySchemes": {_SECURITY: base["components"]["securitySchemes"][_SECURITY]}},
    }
    tags: dict[str, dict[str, Any]] = {}
    operation_ids: set[str] = set()
    for service, document in parts.items():
        for path, item in document.get("paths", {}).items():
            if service != "gateway" and owner_of(path) != service:
                continue
            operations = _rewritten(item, service, renamed)
            for method, operation in operations.items():
                if method in _METHODS:
                    _finish(operation, service, (method.upper(), path), base, operation_ids)
                    for name in operation["tags"]:
                        tags.setdefault(name, tag(name, service))
            merged["paths"].setdefault(path, {}).update(operations)
        tags |= {entry["name"]: {**tag(entry["name"], service), **entry} for entry in document.get("tags", ())}
        _add_components(merged["components"], document, service, renamed)
    merged["tags"] = [tags[name] for name in sorted(tags)]
    complete(merged)
    return merged


def _add_components(
    components: dict[str, Any], document: Document, service: str, renamed: Mapping[tuple[str, str, str], str]
) -> None:
    for kind, entries in document.get("components", {}).items():
        if kind == "securitySchemes":
            continue
        target = components.setdefault(kind, {})
        for name, value in entries.items():
            target[renamed.get((service, kind, name), name)] = _rewritten(value, service, renamed)


def _finish(
    operation: dict[str, Any],
    service: str,
    route: tuple[str, str],
    base: Document,
    taken: set[str],
) -> None:
    operation["tags"] = operation.get("tags") or [service]
    wanted = operation.get("operationId") or f"{route[0].lower()}_{re.sub(r'[^A-Za-z0-9]+', '_', route[1]).strip('_')}"
    operation["operationId"] = _unique(wanted, service, taken)
    operation["security"] = _security(service, route)
    responses = operation.setdefault("responses", {})
    if service != "gateway":
        for status, response in base["x-added-responses"].items():
            responses.setdefault(status, deepcopy(response))


def _security(service: str, route: tuple[str, str]) -> list[dict[str, list[str]]]:
    if service == "gateway" or is_public(*route):
        return []
    token: dict[str, list[str]] = {_SECURITY: []}
    return [token, {}] if opens_by_key(*route) else [token]


def _unique(wanted: str, service: str, taken: set[str]) -> str:
    candidate, count = wanted, 1
    while candidate in taken:
        candidate = f"{service}_{wanted}" if count == 1 else f"{service}_{wanted}_{count}"
        count += 1
    taken.add(candidate)
    return candidate


def _clashes(parts: Mapping[str, Document]) -> dict[tuple[str, str, str], str]:
    """(service, kind, name) -> the name it gets, for components that mean different things in different documents."""
    holders: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    for service, document in parts.items():
        for kind, entries in document.get("components", {}).items():
            for name, value in entries.items():
                holders[kind, name][service] = value
    shared = {key: values for key, values in holders.items() if len(values) > 1}
    clashing = {key for key, values in shared.items() if _differ(list(values.values()))}
    grown = True
    while grown:
        # Equal text that refers to something that differs means something different too.
        dependent = {key for key, values in shared.items() if _references(next(iter(values.values()))) & clashing}
        grown = not dependent <= clashing
        clashing |= dependent
    return {
        (service, kind, name): f"{_pascal(service)}{name}" for kind, name in clashing for service in holders[kind, name]
    }


def _differ(values: list[Any]) -> bool:
    return any(value != values[0] for value in values)


def _references(value: Any) -> set[tuple[str, str]]:
    if isinstance(value, dict):
        found = set().union(*(_references(item) for item in value.values())) if value else set()
        reference = value.get("$ref")
        parsed = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
        return found | {(parsed[1], parsed[2])} if parsed else found
    if isinstance(value, list):
        return set().union(*map(_references, value)) if value else set()
    return set()


def _rewritten(value: Any, service: str, renamed: Mapping[tuple[str, str, str], str]) -> Any:
    """A deep copy whose references follow the renaming."""
    if isinstance(value, dict):
        copy = {key: _rewritten(item, service, renamed) for key, item in value.items()}
        if isinstance(reference := copy.get("$ref"), str):
            copy["$ref"] = _renamed(reference, service, renamed)
        if "propertyName" in copy and isinstance(mapping := copy.get("mapping"), dict):
            copy["mapping"] = {key: _renamed(target, service, renamed) for key, target in mapping.items()}
        return copy
    if isinstance(value, list):
        return [_rewritten(item, service, renamed) for item in value]
    return value


def _renamed(reference: str, service: str, renamed: Mapping[tuple[str, str, str], str]) -> str:
    parsed = _REFERENCE.fullmatch(reference)
    name = renamed.get((service, parsed[1], parsed[2])) if parsed else None
    return f"#/components/{parsed[1]}/{name}" if parsed and name else reference


def _pascal(service: str) -> str:
    return service.replace("-", " ").title().replace(" ", "")
