"""A small client of the public REST API, as a merchant's own program would have one."""

import asyncio
import time
import uuid
from collections.abc import Mapping
from typing import Any

import aiohttp

_TIMEOUT = aiohttp.ClientTimeout(total=15)
_TRANSIENT = frozenset({429, 502, 503, 504})


class ApiError(Exception):
    """The API's answer was an error, or there was none until patience ended. `status` is 0 in the latter case."""

    def __init__(self, call: str, status: int, code: str, message: str) -> None:
        super().__init__(f"{call}: {status or 'no answer'} {code} {message}".rstrip())
        self.status = status
        self.code = code


class Api:
    """One caller of the API. Use as `async with`.

    A request without an answer, or with one that says "later", is sent again with the same Idempotency-Key for up to
    `patience` seconds: that is what the key is for.
    """

    def __init__(self, gateway_url: str, *, patience: float = 60.0) -> None:
        self._base = f"{gateway_url.rstrip('/')}/api/v1"
        self._patience = patience
        self._headers: dict[str, str] = {"Accept-Language": "es"}

    async def __aenter__(self) -> "Api":
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._session.close()

    def authenticate(self, token: str) -> None:
        """Call as the holder of this access token from now on."""
        self._headers["Authorization"] = f"Bearer {token}"

    async def get(self, path: str, **query: str) -> Any:
        """`data` of the answer. ApiError when it is an error."""
        return (await self._json("GET", path, query=query))["data"]

    async def post(self, path: str, body: Mapping[str, object]) -> Any:
        """`data` of the answer. ApiError when it is an error."""
        return (await self._json("POST", path, body=body))["data"]

    async def put(self, path: str, body: Mapping[str, object]) -> Any:
        """`data` of the answer. ApiError when it is an error."""
        return (await self._json("PUT", path, body=body))["data"]

    async def download(self, path: str) -> bytes:
        """The body of the answer as it is. ApiError when it is an error."""
        _, content = await self._send("GET", path, {}, None)
        return content

    async def _json(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> Any:
        parsed, _ = await self._send(method, path, query or {}, body)
        if not isinstance(parsed, dict) or "data" not in parsed:
            raise ApiError(f"{method} {path}", 200, "unexpected_answer", "the answer has no data")
        return parsed

    async def _send(
        self, method: str, path: str, query: Mapping[str, str], body: Mapping[str, object] | None
    ) -> tuple[Any, bytes]:
        headers = dict(self._headers)
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid.uuid4())
        deadline = time.monotonic() + self._patience
        while True:
            try:
                return await self._attempt(method, path, query, body, headers)
            except ApiError as error:
                later = error.status in _TRANSIENT or error.status == 0 or error.code == "idempotency_in_progress"
                if not later or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.5)

    async def _attempt(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Mapping[str, object] | None,
        headers: Mapping[str, str],
    ) -> tuple[Any, bytes]:
        call = f"{method} {path}"
        try:
            async with self._session.request(
                method, self._base + path, params=query, json=body, headers=headers
            ) as answer:
                content = await answer.read()
                is_json = answer.content_type == "application/json"
                parsed = await answer.json() if is_json else None
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise ApiError(call, 0, type(error).__name__, str(error)) from error
        if answer.status >= 400:
            problem = parsed if isinstance(parsed, dict) else {}
            details = "; ".join(f"{item.get('field')}: {item.get('message')}" for item in problem.get("errors") or [])
            message = " ".join(part for part in (str(problem.get("message", "")), details) if part)
            raise ApiError(call, answer.status, str(problem.get("code", "")), message)
        return parsed, content
