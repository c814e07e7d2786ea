"""From a row to a request, in the words of whichever tenant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from kernel import new_id

from e2e.client import Answer, Client
from e2e.forms import Form
from e2e.merchant import Json
from e2e.operations import valid_bodies
from e2e.people import Person, elsewhere

from .rows import Row
from .tenant import Tenant


@dataclass(frozen=True, slots=True)
class Request:
    """ids: what the names in the path stand for."""

    row: Row
    ids: Mapping[str, str]
    query: Mapping[str, str]
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def said(self) -> str:
        """Everything in it that an answer might repeat."""
        return f"{self.ids} {self.query} {self.body}"

    async def sent_by(self, client: Client) -> Answer:
        method, path = self.row.operation.split(" ")
        headers = {**elsewhere(), **self.headers}
        if method == "POST":
            headers["Idempotency-Key"] = str(new_id())
        content = self.body
        if isinstance(content, Form):
            headers["Content-Type"] = content.content_type
        return await client.call(method, path.format(**self.ids), raw=_raw(content), query=self.query, headers=headers)


async def request_of(
    row: Row, tenant: Tenant, *, spent: Mapping[str, str] | None = None, caller: Person | None = None
) -> Request:
    """spent: things to name instead of the kept ones. caller: who will send it, where the body depends on that."""
    ids = {name: await tenant.thing(name) for name in parameters(row.operation)} | dict(spent or {})
    query = {name: await tenant.thing(thing) for name, thing in row.query.items()} | dict(row.said)
    if row.opened is not None:
        query |= await row.opened(tenant)
    body = await _body(row, tenant, caller)
    headers = row.signed(tenant, _raw(body) or b"") if row.signed is not None else {}
    return Request(row, ids, query, body, headers)


def _raw(body: Any) -> bytes | None:
    """As it is sent, and signed."""
    if body is None:
        return None
    return body.content if isinstance(body, Form) else orjson.dumps(body)


def parameters(operation: str) -> list[str]:
    return [part.partition("}")[0] for part in operation.split("{")[1:]]


async def _body(row: Row, tenant: Tenant, caller: Person | None) -> Any:
    if row.body is not None:
        return await row.body(tenant, caller)
    if row.operation.startswith("GET "):
        return None
    product: Json = {"id": await tenant.thing("product_id")}
    return valid_bodies(tenant.merchant, product).get(row.operation)
