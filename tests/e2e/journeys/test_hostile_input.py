"""Whatever is sent to whichever operation, the answer is a success or an error in our form, and never a 500."""

from __future__ import annotations

import copy
import gzip
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from kernel import new_id

from e2e.client import Answer, Client
from e2e.forms import Form, identity_form
from e2e.merchant import Json, Merchant, open_shop
from e2e.operations import Operation, documented, drawer_of, things_of, valid_bodies
from e2e.people import elsewhere, register, submit
from e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

_OPERATIONS = (
    "POST /auth/register",
    "POST /auth/login",
    "POST /auth/refresh",
    "POST /auth/verification",
    "POST /auth/verification/confirm",
    "POST /auth/password/forgot",
    "POST /auth/password/reset",
    "POST /auth/password/change",
    "PATCH /auth/me",
    "POST /kyc/submissions/{submission_id}/reject",
    "PATCH /users/{user_id}",
    "PUT /users/{user_id}/role",
    "POST /businesses",
    "PUT /businesses/{business_id}",
    "PATCH /businesses/{business_id}",
    "POST /businesses/{business_id}/branches",
    "PUT /businesses/{business_id}/branches/{branch_id}",
    "PATCH /businesses/{business_id}/branches/{branch_id}",
    "POST /businesses/{business_id}/members",
    "PATCH /businesses/{business_id}/members/{member_id}",
    "POST /products",
    "PUT /products/{product_id}",
    "PATCH /products/{product_id}",
    "POST /products/{product_id}/stock-movements",
    "PUT /catalog-settings/{business_id}",
    "POST /sales",
    "POST /sales/sync",
    "POST /sales/{sale_id}/cancel",
    "POST /sales/{sale_id}/refund",
    "POST /cash-registers",
    "PATCH /cash-registers/{register_id}",
    "POST /cash-registers/{register_id}/open",
    "POST /cash-registers/{register_id}/close",
    "POST /cash-registers/{register_id}/movements",
    "POST /cash-registers/{register_id}/sessions/{cash_session_id}/approve",
    "POST /payments/intent",
    "POST /payments/{payment_id}/confirm",
    "POST /payments/{payment_id}/refund",
    "POST /payment-methods",
    "POST /reconciliations",
    "PUT /payment-methods/{method_id}",
    "PATCH /payment-methods/{method_id}",
    "PUT /payment-accounts/{provider}",
    "POST /webhook-endpoints",
    "PATCH /webhook-endpoints/{endpoint_id}",
    "POST /invoices",
    "POST /invoices/{invoice_id}/cancel",
    "PUT /fiscal-profiles/{business_id}",
    "PUT /notification-preferences",
    "PUT /notification-preferences/me",
    "POST /push-devices",
)

# Read as a form and not as JSON.
_FORM = "POST /kyc/submissions"
# Read as a table.
_TABLE = "POST /products/import"
# What a browser sends from a page of ours; the service's own tests send it everything else.
_PAGE = "POST /pay/{method_key}"
_FOR_ADMINISTRATORS = ("/users", "/kyc", "/payments/{payment_id}/confirm", "/reconciliations")
_MEMBERS = "/businesses/{business_id}/members"
_OF_BUSINESS = ("PUT /payment-accounts/{provider}",)

_TEXTS = (
    "",
    " ",
    "'; DROP TABLE sales.sales; --",
    "1' OR '1'='1",
    "<script>alert(1)</script>",
    "{{7*7}} ${jndi:ldap://x} %n%s",
    "nul\x00byte",
    "\x1b[31mred\r\nX-Injected: 1",
    "😀👩‍👩‍👧‍👦 مرحبا \u202egnp.exe ﷽",
    "\ufffe\uffff\U0010ffff",
    "a\u0301" * 90,
    "x" * 5_000,
    "../../etc/passwd",
    "NaN",
    "1e400",
    "-1",
    "0.001",
    "١٢٣",
    "99999999999999999999999999999999",
    "00000000-0000-0000-0000-000000000000",
    "XXX",
)
# What changes a thing reads the same fields as what makes one, so that a few of each kind will do.
_FEW_VALUES: tuple[Any, ...] = (
    "",
    "nul\x00byte",
    "x" * 5_000,
    "1e400",
    "😀",
    None,
    True,
    -1,
    2**63,
    1.5,
    [],
    {"$ne": None},
)
_VALUES: tuple[Any, ...] = (
    *_TEXTS,
    None,
    True,
    0,
    -1,
    1.5,
    2**63,
    -(2**63),
    1e308,
    0.1 + 0.2,
    [],
    {},
    [[[]]],
    [None],
    {"$ne": None},
    {"__proto__": {"admin": True}},
    ["x"] * 300,
)
_MALFORMED: tuple[bytes, ...] = (
    b"",
    b" ",
    b"{",
    b"}",
    b"null",
    b"true",
    b"[]",
    b'"text"',
    b"1",
    b"{'a': 1}",
    b'{"a": 1,}',
    b'{"a": NaN}',
    b'{"a": 1e999}',
    b'{"a": -Infinity}',
    b'{"name": "\\ud800"}',
    b'{"name": "\xff\xfe"}',
    b"[" * 50_000,
    b'{"a":' * 50_000,
    b'{"a": ' + b"9" * 50_000 + b"}",
    b"<xml/>",
    b"name=x&price=1",
    gzip.compress(b'{"name": "x"}'),
)
# Read by some as JSON, by others not.
_ODD = (b'\xef\xbb\xbf{"name": "x"}', '{"name": "x"}'.encode("utf-16"), b'{"name": "a", "name": "b"}', b"\n\n{}\n")
_QUERIES = {
    "page": ("-1", "0", "x", "1e9", "99999999999999999999", "1.5", ""),
    "limit": ("-1", "0", "101", "x", "99999999999999999999", ""),
    "cursor": ("x", "AAAA", "%00", "ñ", "'--", "e30", "x" * 3_000),
    "from": ("x", "2026-13-45", "0", "-1", "9999999999999", "2026-01-01", "0001-01-01T00:00:00Z", "ñ"),
    "to": ("x", "9999-12-31T23:59:59Z", "2026-02-30", "1e9"),
}
_OTHER_QUERIES = ("", "\x00", "ñ😀", "'; DROP TABLE x; --", "x" * 3_000, "%_", "[]")


def leaves(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a body, whole objects and lists included."""
    if path:
        yield path
    if isinstance(body, dict):
        for name, value in body.items():
            yield from leaves(value, (*path, name))
    if isinstance(body, list):
        for position, value in enumerate(body):
            yield from leaves(value, (*path, position))


def replaced(body: Json, path: tuple[Any, ...], value: Any) -> Json:
    changed = copy.deepcopy(body)
    inside: Any = changed
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = value
    return changed


def judge(answer: Answer) -> None:
    if answer.status >= 400:
        answer.error(400, 401, 403, 404, 405, 409, 413, 415, 422, 429)


class Target:
    """One operation with what it needs to succeed, of a merchant who may be spoilt."""

    def __init__(self, client: Client, operation: str, ids: dict[str, Any], body: Json, query: dict[str, str]) -> None:
        self.client = client
        self.query = query
        self.method, template = operation.split(" ")
        self.path = template.format(**ids)
        self.body = body

    async def send(self, body: Any = None, *, raw: bytes | None = None, **headers: str) -> Answer:
        sent = {**elsewhere(), **headers}
        return await self.client.call(self.method, self.path, body=body, raw=raw, query=self.query, headers=sent)


@pytest.fixture(scope="module", params=_OPERATIONS)
async def target(request: pytest.FixtureRequest, stage: Stage) -> Target:
    operation = request.param
    merchant = await open_shop(stage)
    product = await merchant.product(stock=1_000)
    sold = "{sale_id}" in operation or "{payment_id}" in operation or "{invoice_id}" in operation
    ids = {"business_id": merchant.business_id, "branch_id": merchant.branch_id, "product_id": product["id"]}
    ids["provider"] = "conekta"
    bodies = valid_bodies(merchant, product)
    client = merchant.client
    if sold:
        ids |= await things_of(merchant, product)
    if "{member_id}" in operation:
        invitation = f"/businesses/{merchant.business_id}/members"
        ids["member_id"] = (await client.post(invitation, bodies[f"POST {_MEMBERS}"])).data(201)["id"]
    if "{register_id}" in operation:
        ids |= await drawer_of(merchant)
    if "{method_id}" in operation:
        ids["method_id"] = (await client.post("/payment-methods", bodies["POST /payment-methods"])).data(201)["id"]
    if "{endpoint_id}" in operation:
        made = await client.post("/webhook-endpoints", bodies["POST /webhook-endpoints"])
        ids["endpoint_id"] = made.data(201)["id"]
    if operation.split(" ")[1].startswith(_FOR_ADMINISTRATORS):
        ids["user_id"] = (await register(stage)).id
        ids["submission_id"] = await submit(await register(stage))
        client = (await register(stage, role="ADMIN")).client
    query = {"businessId": merchant.business_id} if operation in _OF_BUSINESS else {}
    return Target(client, operation, ids, bodies[operation], query)


async def test_every_operation_with_a_body_is_attacked(stage: Stage) -> None:
    documented_ = {found.name for found in await documented(stage.client) if found.takes_body}
    assert documented_ == {*_OPERATIONS, _FORM, _TABLE, _PAGE}


async def test_forms_of_every_wrong_kind(stage: Stage) -> None:
    client = (await register(stage)).client
    form = identity_form()
    contents = [
        b"",
        b"--",
        form.content[:-20],
        form.content.replace(b"\x89PNG", b"GIF8"),
        *_MALFORMED,
    ]
    contents += [form.content.replace(b"LEVEL_1", text.encode()) for text in _TEXTS]
    contents += [form.content.replace(b'name="level"', f'name="{text}"'.encode()) for text in _TEXTS]
    for kind in (form.content_type, "multipart/form-data", "multipart/form-data; boundary=", "application/json"):
        for content in contents:
            answer = await client.call(*_FORM.split(" "), raw=content, headers={"Content-Type": kind})
            answer.error(400, 409, 413, 415, 422, 429)


async def test_what_follows_the_end_of_a_form_is_no_part_of_it(stage: Stage) -> None:
    """RFC 2046 has it ignored (section 5.1.1), even if it would be a form itself."""
    client, form, other = (await register(stage)).client, identity_form(), identity_form()
    content = form.content + other.content.replace(boundary_of(other), boundary_of(form))
    answer = await client.call(*_FORM.split(" "), raw=content, headers={"Content-Type": form.content_type})
    number = answer.data(201)["documentNumber"]
    assert number.encode() in form.content


def boundary_of(form: Form) -> bytes:
    return form.content_type.partition("boundary=")[2].encode()


async def test_tables_of_every_wrong_kind(merchant: Merchant) -> None:
    header, row = "sku,name,price,cost,taxRate,stock", ["SKU-1", "Café", "45.00", "20.00", "0.16", "3"]
    tables = [",".join((*row[:place], text, *row[place + 1 :])) for place in range(len(row)) for text in _TEXTS]
    contents = [*_MALFORMED, *(f"{header}\n{line}\n".encode() for line in tables)]
    contents += [f"{text},name,price\n1,Café,45.00\n".encode() for text in _TEXTS]
    for content in contents:
        headers = {"Content-Type": "text/csv", "Idempotency-Key": str(new_id())}
        query = {"businessId": merchant.business_id}
        judge(await merchant.client.call(*_TABLE.split(" "), raw=content, query=query, headers=headers))


async def test_bodies_of_every_wrong_kind(target: Target) -> None:
    values = _VALUES if target.method == "POST" else _FEW_VALUES
    for path in leaves(target.body):
        for value in values:
            judge(await target.send(replaced(target.body, path, value)))


async def test_bodies_that_are_no_json(target: Target) -> None:
    for raw in _MALFORMED:
        answer = await target.send(raw=raw)
        judge(answer)
        # Canceling takes no parameters, so that some of these say just that; the others have required fields.
        if raw not in {b"", b"null"} and not target.path.endswith("/cancel"):
            assert answer.status >= 400, (raw[:40], answer)
    for raw in _ODD:
        judge(await target.send(raw=raw))


async def test_other_media_types_and_encodings(target: Target) -> None:
    whole = orjson.dumps(target.body)
    for kind in ("text/plain", "application/xml", "multipart/form-data", "x", "application/json; charset=utf-16", ""):
        judge(await target.send(raw=whole, **{"Content-Type": kind}))
    judge(await target.send(raw=gzip.compress(whole), **{"Content-Encoding": "gzip"}))


async def test_unknown_fields_are_named(target: Target) -> None:
    answer = await target.send({**target.body, "isAdmin": True})
    answer.error(400)
    assert "isAdmin" in {item["field"] for item in answer.json["errors"]}


async def test_bodies_that_are_too_large(target: Target) -> None:
    for size in (70 << 10, 3 << 20):
        body = orjson.dumps({**target.body, "padding": "x" * size})
        answer = await target.send(raw=body)
        answer.error(*((400, 413) if size < 1 << 20 else (413,)))


async def test_amounts_are_exact_or_refused(merchant: Merchant) -> None:
    product = await merchant.product()
    bodies = valid_bodies(merchant, product)
    for amount in ("-0.01", "0.001", "10.005", "1e2", 1e-7, "", "1,50", "$1", "0x10", "1_000", "9" * 20, None, {}):
        for operation, field in (("POST /products", "price"), ("POST /payments/intent", "amount")):
            body = {**bodies[operation], "sku": new_id().hex, "barcode": new_id().hex, field: amount}
            if operation == "POST /payments/intent":
                body.pop("sku"), body.pop("barcode")
            answer = await merchant.client.post(operation.removeprefix("POST "), body)
            answer.error(400, 422)
    for currency in ("XXX", "mxn", "USD", "CLP", "", 1):
        body = {**bodies["POST /payments/intent"], "currency": currency}
        (await merchant.client.post("/payments/intent", body)).error(400, 422)


async def test_what_is_stored_comes_back_as_it_was(merchant: Merchant) -> None:
    """Nothing is cut, escaped or run."""
    for text in ("<b>'; DROP TABLE x; --</b>", "😀👩‍👩‍👧‍👦 ñ مرحبا", "{{7*7}} %s ${x}", 'a"b\\c/d'):
        product = await merchant.product(name=text)
        found = (await merchant.client.get(f"/products/{product['id']}")).data()
        assert found["name"] == text
        sale = await merchant.sell(product, method="CASH", tendered="500.00")
        assert sale["items"][0]["name"] == text
        assert (await merchant.receipt(sale)).startswith(b"%PDF")


async def test_queries_of_every_wrong_kind(stage: Stage, merchant: Merchant) -> None:
    ids = await things_of(merchant, await merchant.product())
    for operation in await documented(stage.client):
        if operation.method != "GET":
            continue
        path = operation.at({name: ids.get(name, str(new_id())) for name in operation.parameters})
        for name in (*operation.query, "nobodyKnowsThis"):
            for value in (*_QUERIES.get(name, ()), *_OTHER_QUERIES):
                query = {"businessId": merchant.business_id} if "businessId" in operation.query else {}
                judge(await merchant.client.call("GET", path, query={**query, name: value}))
        judge(await merchant.client.call("GET", f"{path}?limit=1&limit=x&%zz=%&&&==&page[]=1"))


async def test_paths_of_every_wrong_kind(stage: Stage, merchant: Merchant) -> None:
    for operation in await documented(stage.client):
        for wrong in ("x", "0", "null", "%00", "..;", "%2e%2e%2f", "%2f", "ñ", "'--", "*", "x" * 2_000, " ", "%ff"):
            if operation.parameters:
                ids = dict.fromkeys(operation.parameters, quote(wrong, safe="%"))
                answer = await merchant.client.call(operation.method, operation.at(ids), body=body_for(operation))
                answer.error(400, 403, 404, 405, 414)


def body_for(operation: Operation) -> Json | None:
    return {} if operation.takes_body else None


@pytest.mark.parametrize(
    "path",
    ["/", "/nothing", "/sales/1/2/3/4", "//", "//api", "//api/v2/sales", "//admin", "/internal", "//.env", "/auth"],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_routes_that_do_not_exist(merchant: Merchant, method: str, path: str) -> None:
    (await merchant.client.call(method, path)).error(404)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "BREW"])
async def test_methods_that_do_not_exist(merchant: Merchant, method: str) -> None:
    (await merchant.client.call(method, "/sales")).error(400, 404, 405)


async def test_headers_of_every_wrong_kind(merchant: Merchant) -> None:
    product = await merchant.product()
    for headers in (
        {"X-Request-Id": "<script>"},
        {"X-Request-Id": "x" * 5_000},
        {"traceparent": "00-zz-zz-zz"},
        {"Accept-Language": "x" * 3_000},
        {"Accept": "image/png"},
        {"X-Forwarded-For": "'; DROP TABLE x"},
        {"X-Forwarded-Host": "evil.example"},
        {"Host": "evil.example"},
        {"Range": "bytes=0-1"},
        {"If-None-Match": "*"},
        {"Expect": "100-continue"},
        {"Cookie": "a=b; " * 500},
        {"User-Agent": "\u00ff" * 300},
    ):
        judge(await merchant.client.call("GET", f"/products/{product['id']}", headers=headers))
