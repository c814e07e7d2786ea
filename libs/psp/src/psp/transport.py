"""One exchange with a provider: what can go wrong on the way, as errors of the provider contract.

A read that fails raises ProviderUnavailable; a write OutcomeUnknown, unless nothing was sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from chassis.outbound import CircuitOpen, NoAnswer, NotSent, OutboundClient, OutboundResponse
from chassis.strict_json import InvalidJson
from pydantic import BaseModel, ValidationError

from psp.provider import OutcomeUnknown, ProviderError, ProviderUnavailable

WireT = TypeVar("WireT", bound=BaseModel)


class Failure(Protocol):
    """What an answer that is no success means. write: whether something may have happened."""

    def __call__(self, answer: OutboundResponse, *, write: bool) -> ProviderError: ...


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
        except CircuitOpen as error:
            raise self._circuit_open(error) from None
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
        except CircuitOpen as error:
            raise self._circuit_open(error) from None
        except NotSent as error:
            raise ProviderUnavailable(self._provider, "unreachable", str(error)) from None
        except NoAnswer as error:
            raise OutcomeUnknown(self._provider, "no_answer", str(error)) from None
        if answer.status not in (200, 201):
            raise self._failure(answer, write=True)
        return self._parsed(operation, answer, shape, OutcomeUnknown)

    def _circuit_open(self, error: CircuitOpen) -> ProviderUnavailable:
        return ProviderUnavailable(self._provider, "circuit_open", retry_after=max(1, round(error.retry_after)))

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
