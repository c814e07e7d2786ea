"""What every call to a provider's twin goes through: admission, faults, journal. A subclass speaks its provider's form.

A subclass says how a call is admitted and read, and how answers, failures and distortions look.
"""

from __future__ import annotations

import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from twins.faults import CALL_FAULTS, Fault, FaultKind, FaultPlan, hold
from twins.provider.book import Json, Refusal
from twins.store import Store

_HOLD_SECONDS = 60.0

# Given the request and its body as `read` gave it: the answer, before it is rendered. Raises Refusal.
Handler = Callable[[Request, Any], Any]
# Given the same: what a fault or a journal line may call the payment by.
References = Callable[[Request, Any], Collection[str]]
# Given the same, where one address serves many operations.
Naming = Callable[[Request, Any], str]


class Calls(ABC):
    def __init__(self, store: Store, faults: FaultPlan, name: str) -> None:
        self._store = store
        self._faults = faults
        self.kind = f"{name}.call"

    @abstractmethod
    async def read(self, request: Request) -> Any:
        """Check the credentials, then the body. Raises Refusal."""

    @abstractmethod
    def render(self, answer: Any, status: int) -> Response: ...

    @abstractmethod
    def refuse(self, refusal: Refusal) -> Response: ...

    @abstractmethod
    def failure(self) -> Response:
        """A 500 of the provider."""

    @abstractmethod
    def too_many(self, retry_after: int) -> Response: ...

    @abstractmethod
    def with_unlisted_status(self, answer: Any) -> Any:
        """With a status that nobody documented."""

    @abstractmethod
    def with_other_amount(self, answer: Any) -> Any: ...

    @abstractmethod
    def without_findings(self, answer: Any) -> Any:
        """A list without its entries; any other answer as it is."""

    def endpoint(
        self, operation: str | Naming, handler: Handler, references: References, status: int = 200
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            names: Collection[str] = ()
            fault: Fault | None = None
            name = operation if isinstance(operation, str) else "unread"
            try:
                body = await self.read(request)
                name = operation if isinstance(operation, str) else operation(request, body)
                names = references(request, body)
                fault = self._faults.take(CALL_FAULTS, name, names)
                response = await self._perform(request, body, handler, fault, status)
            except Refusal as refusal:
                response = self.refuse(refusal)
            self._note(name, request, names, response, fault)
            return response

        return answer

    async def _perform(
        self, request: Request, body: Any, handler: Handler, fault: Fault | None, status: int
    ) -> Response:
        kind = fault.kind if fault else None
        seconds = fault.seconds if fault and fault.seconds is not None else None
        match kind:
            case FaultKind.TIMEOUT_BEFORE:
                return await hold(request, seconds or _HOLD_SECONDS)
            case FaultKind.HTTP_500:
                return self.failure()
            case FaultKind.HTTP_429:
                return self.too_many(round(seconds or 1))
            case FaultKind.SLOW:
                await hold(request, 1.0 if seconds is None else seconds)
        answer = handler(request, body)
        match kind:
            case FaultKind.TIMEOUT_AFTER_CHARGING:
                return await hold(request, seconds or _HOLD_SECONDS)
            case FaultKind.HTTP_500_AFTER_CHARGING:
                return self.failure()
            case FaultKind.GARBAGE_JSON:
                whole = self.render(answer, status)
                return Response(bytes(whole.body)[:-2], status, media_type=whole.media_type)
            case FaultKind.UNLISTED_STATUS:
                answer = self.with_unlisted_status(answer)
            case FaultKind.BLIND_SEARCH:
                answer = self.without_findings(answer)
            case FaultKind.WRONG_AMOUNT_READ:
                answer = self.with_other_amount(answer)
        return self.render(answer, status)

    def _note(
        self, operation: str, request: Request, names: Collection[str], response: Response, fault: Fault | None
    ) -> None:
        call: Json = {
            "id": uuid.uuid4().hex,
            "at": time.time(),
            "operation": operation,
            "method": request.method,
            "path": request.url.path,
            "references": sorted(names),
            "status": response.status_code,
            "fault": fault.kind if fault else None,
        }
        self._store.put(self.kind, call["id"], call, keys=names)
