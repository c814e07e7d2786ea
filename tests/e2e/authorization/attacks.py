"""Requests of a tenant's own in which things of another tenant are named: in the path, in the query, in the body.

Each is sent beside its twin, which names things that do not exist: whoever asks must not be able to tell them apart.
Lists that name nothing at all are their own twins.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from kernel import new_id
from pydantic.alias_generators import to_snake

from e2e.operations import Operation

from .requests import Request, request_of
from .rows import ROWS, Row
from .rules import Rule
from .tenant import Tenant

# What anybody may name, and what decides nothing.
_COMMON = frozenset({"provider", "name"})
# Query parameters that are not called like the thing they name.
_NAMED_OTHERWISE = {"transaction_id": "payment_id", "actor_id": "user_id", "subject_id": "member_id"}

Place = tuple[str, ...]
"""`path`, `query` or `body`, and where in it."""


@dataclass(frozen=True, slots=True)
class Attack:
    """whole: everything in it that names a thing names the victim's."""

    name: str
    row: Row
    request: Request
    absent: Request
    whole: bool


async def attacks(operations: Mapping[str, Operation], attacker: Tenant, victim: Tenant) -> list[Attack]:
    """For every row but those that anybody may call."""
    own, theirs = await attacker.things(), await victim.things()
    found = []
    for row in ROWS:
        if row.rule is not Rule.PUBLIC and not row.alone and row.operation in operations:
            request = await request_of(row, attacker)
            filters = _filters(operations[row.operation], own)
            found += list(_attacks(row, request, own, theirs, filters))
    return found


def _attacks(
    row: Row, request: Request, own: Mapping[str, str], theirs: Mapping[str, str], filters: Mapping[str, str]
) -> Iterator[Attack]:
    things = {own_id: name for name, own_id in own.items() if name not in _COMMON}
    places = {place: things[value] for place, value in _named(request) if value in things}
    if not places and row.operation.startswith("GET "):
        yield Attack(f"{row.name} of nobody in particular", row, request, request, whole=False)
    if places:
        yield _attack(row, request, places, theirs, whole=True)
    for place, name in chain(places.items(), ((("query", key), name) for key, name in filters.items())):
        if len(places) > 1 or place not in places:
            yield _attack(row, request, {place: name}, theirs, whole=False)


def _attack(
    row: Row, request: Request, places: Mapping[Place, str], theirs: Mapping[str, str], *, whole: bool
) -> Attack:
    attack, absent = request, request
    for place, name in places.items():
        attack, absent = _put(attack, place, theirs[name]), _put(absent, place, str(new_id()))
    for number, _ in enumerate(request.body.get("sales", ()) if isinstance(request.body, dict) else ()):
        # Whatever else is said under an id that is known already is refused for that.
        absent = _put(absent, ("body", "sales", str(number), "id"), str(new_id()))
    told = ", ".join(".".join(place) for place in places)
    return Attack(f"{row.name} with a foreign {told}", row, attack, absent, whole)


def _filters(operation: Operation, own: Mapping[str, str]) -> dict[str, str]:
    """Query parameters that take an id, with what they name."""
    named = {name: _NAMED_OTHERWISE.get(to_snake(name), to_snake(name)) for name in operation.ids}
    return {name: thing for name, thing in named.items() if thing in own}


def _named(request: Request) -> Iterator[tuple[Place, str]]:
    for name, value in request.ids.items():
        yield ("path", name), value
    for name, value in request.query.items():
        yield ("query", name), value
    yield from _strings(request.body, ("body",))


def _strings(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _strings(item, (*place, name))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _strings(item, (*place, str(number)))


def _put(request: Request, place: Place, value: str) -> Request:
    kind, *steps = place
    if kind == "path":
        return replace(request, ids={**request.ids, steps[0]: value})
    if kind == "query":
        return replace(request, query={**request.query, steps[0]: value})
    body = copy.deepcopy(request.body)
    inside: Any = body
    for step in steps[:-1]:
        inside = inside[int(step) if isinstance(inside, list) else step]
    inside[int(steps[-1]) if isinstance(inside, list) else steps[-1]] = value
    return replace(request, body=body)
