"""What the twins of all tax authorities share: a book of documents, faults around every call, and control from behind.

POST   /_control/<name>/faults             arm a fault (twins.faults): reject, down, slow, timeout_after_charging, …
GET    /_control/<name>/documents/{key}    what the authority has under this key, and how often it was sent
POST   /_control/<name>/documents/{key}/decide   of an authority that decides later: {"accept": true}
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict

from twins.faults import AUTHORITY_FAULTS, FaultKind, FaultPlan, hold
from twins.provider.control import faults_routes
from twins.store import Store

_HOLD_SECONDS = 60.0

Json = dict[str, Any]
# Given the body and whether to reject what is good: the answer, in the authority's form, after it has taken effect.
Work = Callable[[bytes, bool], Response]


@dataclass(frozen=True, slots=True)
class Authority:
    """One twin, as the composition root takes it. kinds: of the store's documents that a reset forgets."""

    name: str
    title: str
    faults: FaultPlan
    routers: Sequence[APIRouter]
    kinds: Sequence[str]


class Decision(BaseModel):
    model_config = ConfigDict(extra="forbid")

    accept: bool = True


class Ledger:
    """The documents an authority has, by key (such as RFC and folio). A state is a word of the twin's."""

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self.kind = f"{name}.document"

    def get(self, key: str) -> Json | None:
        return self._store.get(self.kind, key)

    def take(self, key: str, document: Json) -> tuple[Json, bool]:
        """What is under the key from now on, and whether it is new: what came first stays."""
        known = self.get(key)
        kept = {**document, "times": 1} if known is None else {**known, "times": int(known["times"]) + 1}
        self._store.put(self.kind, key, kept)
        return kept, known is None

    def change(self, key: str, **fields: Any) -> Json | None:
        known = self.get(key)
        if known is None:
            return None
        changed = {**known, **fields}
        self._store.put(self.kind, key, changed)
        return changed


class Exchange:
    """Every call goes through it: down, slow, silent before and after taking effect, or a no to what is good."""

    def __init__(self, faults: FaultPlan) -> None:
        self._faults = faults

    def endpoint(self, operation: str, work: Work) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            body = await request.body()
            fault = self._faults.take(AUTHORITY_FAULTS, operation)
            seconds = fault.seconds if fault and fault.seconds is not None else None
            match fault.kind if fault else None:
                case FaultKind.DOWN:
                    return Response("Service Unavailable", 503)
                case FaultKind.HTTP_500:
                    return Response("Internal Server Error", 500)
                case FaultKind.TIMEOUT_BEFORE:
                    return await hold(request, seconds or _HOLD_SECONDS)
                case FaultKind.SLOW:
                    await hold(request, 1.0 if seconds is None else seconds)
                case FaultKind.TIMEOUT_AFTER_CHARGING:
                    work(body, False)
                    return await hold(request, seconds or _HOLD_SECONDS)
            return work(body, fault is not None and fault.kind is FaultKind.REJECT)

        return answer


def control(name: str, ledger: Ledger, faults: FaultPlan, decide: Callable[[str, bool], Json | None]) -> APIRouter:
    """decide: of what is submitted, by key; None where there is no such document."""
    router = APIRouter(prefix=f"/_control/{name}", tags=[name])
    faults_routes(router, faults)

    @router.get("/documents/{key:path}", response_model=None)
    async def show(key: str) -> Response:
        found = ledger.get(key)
        return JSONResponse({"data": found}, 200 if found is not None else 404)

    @router.post("/documents/{key:path}/decide", response_model=None)
    async def settle(key: str, decision: Decision) -> Response:
        found = decide(key, decision.accept)
        return JSONResponse({"data": found}, 200 if found is not None else 404)

    return router
