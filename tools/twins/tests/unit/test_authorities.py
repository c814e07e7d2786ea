"""What every twin of an authority does with its faults, around a country that only counts."""

from __future__ import annotations

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.responses import Response
from twins.authorities.base import Exchange, Ledger, control
from twins.faults import FaultPlan
from twins.store import Store


@pytest.fixture
def client() -> httpx.AsyncClient:
    store, faults = Store(), FaultPlan()
    ledger, exchange, router = Ledger(store, "test"), Exchange(faults), APIRouter()

    def stamp(body: bytes, reject: bool) -> Response:
        if reject:
            return Response("no", 400)
        kept, new = ledger.take(body.decode(), {"state": "waiting"})
        return Response(f"{'new' if new else 'known'} {kept['times']}")

    router.add_api_route("/stamp", exchange.endpoint("stamp", stamp), methods=["POST"])
    app = FastAPI()
    app.include_router(router)
    app.include_router(
        control("test", ledger, faults, lambda key, yes: ledger.change(key, state="yes" if yes else "no"))
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://twin")


async def arm(client: httpx.AsyncClient, kind: str, **how: object) -> None:
    assert (await client.post("/_control/test/faults", json={"kind": kind, **how})).status_code == 201


async def test_what_came_first_stays_and_is_counted(client: httpx.AsyncClient) -> None:
    assert [(await client.post("/stamp", content=b"A/1")).text for _ in range(2)] == ["new 1", "known 2"]
    assert (await client.get("/_control/test/documents/A/1")).json()["data"] == {"state": "waiting", "times": 2}
    decided = await client.post("/_control/test/documents/A/1/decide", json={"accept": False})
    assert decided.json()["data"]["state"] == "no"
    assert (await client.get("/_control/test/documents/A/2")).status_code == 404


@pytest.mark.parametrize(
    ("kind", "status", "taken"),
    [
        ("reject", 400, False),
        ("down", 503, False),
        ("timeout_before", 504, False),
        ("timeout_after_charging", 504, True),
    ],
)
async def test_a_fault_strikes_once_and_says_what_took_effect(
    client: httpx.AsyncClient, kind: str, status: int, taken: bool
) -> None:
    await arm(client, kind, seconds=0.01)
    assert (await client.post("/stamp", content=b"1")).status_code == status
    assert ((await client.get("/_control/test/documents/1")).status_code == 200) is taken
    assert (await client.post("/stamp", content=b"1")).status_code == 200
