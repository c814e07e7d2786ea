"""A direct route answers every request as FastAPI alone would."""

import json
from typing import Annotated, Any
from uuid import UUID, uuid4

import httpx
import pytest
from chassis.http.app import context_of
from chassis.http.direct import DirectRoutes, DirectTable, direct
from chassis.http.errors import install_error_handlers
from chassis.http.schemas import Amount, RequestModel, Text
from fastapi import APIRouter, Cookie, Depends, FastAPI, Header, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from kernel import Conflict, NotFound, Unauthenticated
from starlette.responses import JSONResponse, Response

_bearer = HTTPBearer(auto_error=False)
KNOWN = UUID("0190a7c0-0000-7000-8000-000000000001")


class Order(RequestModel):
    business_id: UUID
    amount: Amount
    note: Text | None = None
    tags: tuple[int, ...] = ()


async def caller(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> str:
    if credentials is None:
        raise Unauthenticated("A bearer token is needed", code="token_missing")
    request.state.calls = getattr(request.state, "calls", 0) + 1
    return credentials.credentials


async def scope(
    who: Annotated[str, Depends(caller)], key: Annotated[str | None, Header(alias="Idempotency-Key")] = None
) -> str:
    return f"{who}:{key}"


router = APIRouter(prefix="/api/orders")


@router.post("/intent", status_code=201)
@direct
async def create(
    request: Request,
    ctx: Annotated[dict[str, str], context_of(dict)],
    who: Annotated[str, Depends(caller)],
    key: Annotated[str, Depends(scope)],
    body: Order,
) -> Response:
    if body.note == "taken":
        raise Conflict("Taken", code="taken")
    return JSONResponse(
        {"who": who, "key": key, "ctx": ctx, "body": body.model_dump(mode="json"), "calls": request.state.calls}, 201
    )


@router.get("")
@direct
async def search(
    who: Annotated[str, Depends(caller)],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    business_id: Annotated[UUID | None, Query(alias="businessId")] = None,
) -> Response:
    return JSONResponse({"who": who, "limit": limit, "business": str(business_id)})


@router.get("/{order_id}")
@direct
async def read(who: Annotated[str, Depends(caller)], order_id: UUID) -> Response:
    if order_id != KNOWN:
        raise NotFound("Order not found", code="order_not_found")
    return JSONResponse({"id": str(order_id), "who": who})


@router.get("/{order_id}/lines/{line_id}")
async def ordinary(order_id: UUID, line_id: int) -> dict[str, Any]:
    return {"order": str(order_id), "line": line_id}


def _app(*, with_direct: bool) -> FastAPI:
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})
    app.state.context = {"name": "probe"}
    install_error_handlers(app)
    app.include_router(router)
    if with_direct:
        app.add_middleware(DirectRoutes, table=DirectTable(router.routes))
    return app


AUTH = {"Authorization": "Bearer me"}
JSON = AUTH | {"Content-Type": "application/json"}
GOOD = {"businessId": str(KNOWN), "amount": "12.50", "note": "café", "tags": [1, 2]}


def _post(body: bytes, **headers: str) -> tuple[str, str, dict[str, str], bytes]:
    return "POST", "/api/orders/intent", JSON | headers, body


REQUESTS: dict[str, tuple[str, str, dict[str, str], bytes]] = {
    "read": ("GET", f"/api/orders/{KNOWN}", AUTH, b""),
    "read an absent one": ("GET", f"/api/orders/{uuid4()}", AUTH, b""),
    "read without a token": ("GET", f"/api/orders/{KNOWN}", {}, b""),
    "read with another scheme": ("GET", f"/api/orders/{KNOWN}", {"Authorization": "Basic eA=="}, b""),
    "an id in capitals": ("GET", f"/api/orders/{str(KNOWN).upper()}", AUTH, b""),
    "an id in braces": ("GET", f"/api/orders/{{{KNOWN}}}", AUTH, b""),
    "an id without dashes": ("GET", f"/api/orders/{KNOWN.hex}", AUTH, b""),
    "no id": ("GET", "/api/orders/nothing", AUTH, b""),
    "an id with a slash": ("GET", f"/api/orders/{KNOWN}/", AUTH, b""),
    "an encoded slash": ("GET", f"/api/orders/{KNOWN}%2F", AUTH, b""),
    "a double slash": ("GET", f"/api//orders/{KNOWN}", AUTH, b""),
    "an ordinary route": ("GET", f"/api/orders/{KNOWN}/lines/7", AUTH, b""),
    "head": ("HEAD", f"/api/orders/{KNOWN}", AUTH, b""),
    "a wrong method": ("DELETE", f"/api/orders/{KNOWN}", AUTH, b""),
    "search": ("GET", "/api/orders", AUTH, b""),
    "search with all": ("GET", f"/api/orders?limit=7&businessId={KNOWN}", AUTH, b""),
    "search twice the same": ("GET", "/api/orders?limit=7&limit=9", AUTH, b""),
    "search out of range": ("GET", "/api/orders?limit=1000", AUTH, b""),
    "search with an empty value": ("GET", "/api/orders?limit=&businessId=", AUTH, b""),
    "search with something unknown": ("GET", "/api/orders?offset=3", AUTH, b""),
    "create": _post(json.dumps(GOOD).encode(), **{"Idempotency-Key": "abcdefgh"}),
    "create with a number": _post(json.dumps(GOOD | {"amount": 12.5}).encode()),
    "create with a huge number": _post(json.dumps(GOOD | {"tags": [10**30]}).encode()),
    "create with NaN": _post(b'{"businessId": "x", "amount": NaN}'),
    "create with a key twice": _post(b'{"amount": "1", "amount": "2", "businessId": "' + str(KNOWN).encode() + b'"}'),
    "create with too much": _post(json.dumps(GOOD | {"more": 1}).encode()),
    "create with too little": _post(b"{}"),
    "create with a list": _post(b"[]"),
    "create with null": _post(b"null"),
    "create with broken JSON": _post(b'{"amount": '),
    "create with bytes that are no text": _post(b'{"note": "\xff"}'),
    "create with a byte order mark": _post(b"\xef\xbb\xbf" + json.dumps(GOOD).encode()),
    "create with depth": _post(b"[" * 100_000),
    "create with nothing": _post(b""),
    "create with a charset": _post(json.dumps(GOOD).encode(), **{"Content-Type": "application/json; charset=utf-8"}),
    "create with text": _post(json.dumps(GOOD).encode(), **{"Content-Type": "text/plain"}),
    "create with a form": _post(b"amount=1", **{"Content-Type": "application/x-www-form-urlencoded"}),
    "create in conflict": _post(json.dumps(GOOD | {"note": "taken"}).encode()),
    "create without a token": ("POST", "/api/orders/intent", {"Content-Type": "application/json"}, b"{}"),
    "broken JSON without a token": ("POST", "/api/orders/intent", {"Content-Type": "application/json"}, b"{"),
    "read what is created": ("GET", "/api/orders/intent", AUTH, b""),
}


@pytest.mark.parametrize("name", REQUESTS)
async def test_the_answer_is_the_same(name: str) -> None:
    method, path, headers, body = REQUESTS[name]
    answers = []
    for with_direct in (False, True):
        transport = httpx.ASGITransport(app=_app(with_direct=with_direct))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            answers.append(await client.request(method, path, headers=headers, content=body))
    ordinary_answer, direct_answer = answers
    assert (direct_answer.status_code, direct_answer.content) == (ordinary_answer.status_code, ordinary_answer.content)
    assert dict(direct_answer.headers) == dict(ordinary_answer.headers)


async def test_what_fits_does_not_pass_fastapi() -> None:
    app = _app(with_direct=True)
    assert all(DirectTable(router.routes).find("GET", f"/api/orders/{KNOWN}") or ())

    async def nowhere(*_: object) -> None:
        raise AssertionError("FastAPI was asked")

    middleware = DirectRoutes(nowhere, DirectTable(router.routes))

    async def with_state(scope: Any, receive: Any, send: Any) -> None:
        await middleware(scope | {"app": app}, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=with_state), base_url="http://test") as client:
        assert (await client.get(f"/api/orders/{KNOWN}", headers=AUTH)).status_code == 200
        created = await client.post("/api/orders/intent", headers=AUTH, json=GOOD)
        assert created.status_code == 201
        assert created.json()["calls"] == 1, "a dependency that two others have is asked once"


def test_a_route_that_cannot_be_direct_is_refused_at_start() -> None:
    crooked = APIRouter()

    @crooked.get("/crooked/{name}")
    @direct
    async def by_name(name: str, crumb: Annotated[str, Cookie()]) -> Response:
        return Response(name + crumb)

    with pytest.raises(TypeError, match="/crooked"):
        DirectTable(crooked.routes)
