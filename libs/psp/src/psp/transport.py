"""One exchange with a provider: what can go wrong on the way, as errors of the provider contract.

A read that fails raises ProviderUnavailable; a write OutcomeUnknown, unless nothing was sent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from chassis.outbound import CircuitOpen, HeldBack, NoAnswer, NotSent, OutboundClient, OutboundResponse, RateBound
from chassis.strict_json import InvalidJson
from pydantic import BaseModel, ValidationError

from psp.provider import OutcomeUnknown, ProviderError, ProviderUnavailable
from psp.settings import ProviderSettings

WireT = TypeVar("WireT", bound=BaseModel)


class Failure(Protocol):
    """What an answer that is no success means. write: whether something may have happened."""

    def __call__(self, answer: OutboundResponse, *, write: bool) -> ProviderError: ...


def connect(provider: str, settings: ProviderSettings, *, headers: Mapping[str, str]) -> OutboundClient:
    """Connections of this provider alone, with its own bound on the rate of calls and its own circuit breaker. Inside a
    running event loop. headers: sent with every call, credentials included.
    """
    return OutboundClient(
        provider,
        settings.api_url,
        headers=headers,
        timeout=settings.timeout_seconds,
        connect_timeout=settings.connect_timeout_seconds,
        rate=RateBound(settings.calls_per_second, settings.call_wait_seconds),
    )


class Transport:
    def __init__(self, provider: str, http: OutboundClient, failure: Failure) -> None:
        self._provider = provider
        self._http = http
        self._failure = failure

    async def close(self) -> None:
        await self._http.close()

    async def read(
        self,
        operation: str,
        path: str,
        shape: type[WireT],
        *,
        params: Mapping[str, str] | None = None,
        method: str = "GET",
        json: Any = None,
    ) -> WireT:
        """method, json: for a provider that is asked questions by POST."""
        try:
            answer = await self._http.request(method, path, operation=operation, params=params, json=json)
        except HeldBack as error:
            raise self._held_back(error) from None
        except (NotSent, NoAnswer) as error:
            raise ProviderUnavailable(self._provider, "unreachable", str(error)) from None
        if answer.status != 200:
            raise self._failure(answer, write=False)
        return self._parsed(operation, answer, shape, ProviderUnavailable)

    async def write(
        self,
        operation: str,
        path: str,
        shape: type[WireT],
        *,
        json: Any = None,
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
    ) -> WireT:
        try:
            answer = await self._http.request(method, path, operation=operation, json=json, headers=headers)
        except HeldBack as error:
            raise self._held_back(error) from None
        except NotSent as error:
            raise ProviderUnavailable(self._provider, "unreachable", str(error)) from None
        except NoAnswer as error:
            raise OutcomeUnknown(self._provider, "no_answer", str(error)) from None
        if answer.status not in (200, 201):
            raise self._failure(answer, write=True)
        return self._parsed(operation, answer, shape, OutcomeUnknown)

    def _held_back(self, error: HeldBack) -> ProviderUnavailable:
        code = "circuit_open" if isinstance(error, CircuitOpen) else "too_many_calls"
        return ProviderUnavailable(self._provider, code, retry_after=max(1, math.ceil(error.retry_after)))

    def _parsed(
        self,
        operation: str,
        answer: OutboundResponse,
        shape: type[WireT],
        otherwise: Callable[[str, str, str], ProviderError],
    ) -> WireT:
        try:
            return shape.model_validate(answer.json())
        except (InvalidJson, ValidationError):
            raise otherwise(self._provider, "unreadable_answer", f"{operation}: unreadable answer") from None
