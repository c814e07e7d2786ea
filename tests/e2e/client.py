"""A caller of the public API that is told everything: it repeats nothing and raises nothing."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
from kernel import new_id

_TIMEOUT = aiohttp.ClientTimeout(total=40)
_ERROR_FIELDS = {"statusCode", "message", "code", "errors", "requestId"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, header names in lower case."""

    call: str
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The whole body."""
        return orjson.loads(self.content)

    def data(self, status: int | None = None) -> Any:
        """`data` of a success, of this status where one is named."""
        expected = self.status == status if status else self.status < 300
        assert expected, f"{self.call}: {self.status} {self.content[:500]!r}"
        return self.json["data"]

    def error(self, *statuses: int, code: str | None = None) -> str:
        """The code of an error of one of these statuses, after its form has been checked."""
        seen = f"{self.call}: {self.status} {self.content[:500]!r}"
        assert self.status in statuses, seen
        body = self.json
        assert isinstance(body, dict), seen
        assert set(body) == _ERROR_FIELDS, seen
        assert body["statusCode"] == self.status, seen
        assert body["requestId"] == self.headers["x-request-id"], seen
        assert isinstance(body["message"], str), seen
        assert body["message"], seen
        assert all(set(item) == {"field", "message"} for item in body["errors"]), seen
        if self.status in {429, 503}:
            assert int(self.headers["retry-after"]) > 0, seen
        if code is not None:
            assert body["code"] == code, seen
        return str(body["code"])


class Client:
    """Use as `async with`. `token` is sent with every call until a call names another."""

    def __init__(self, url: str, *, token: str | None = None) -> None:
        self.url = url
        self.token = token

    async def __aenter__(self) -> Client:
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._session.close()

    def holding(self, token: str | None) -> Client:
        """The same connections with another token."""
        other = Client(self.url, token=token)
        other._session = self._session
        return other

    async def get(self, path: str, **query: object) -> Answer:
        return await self.call("GET", path, query={name: str(value) for name, value in query.items()})

    async def post(self, path: str, body: object = None, *, key: str | None = None) -> Answer:
        """With a new Idempotency-Key, unless one is given."""
        return await self.call("POST", path, body=body, headers={"Idempotency-Key": key or str(new_id())})

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        raw: bytes | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """path: after `/api/v1`, or a whole one that begins with `//`. raw: a body as it is, said to be JSON."""
        sent = {"Accept-Language": "es", **(headers or {})}
        if self.token is not None:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        content = raw if raw is not None else None if body is None else orjson.dumps(body)
        if content is not None:
            sent.setdefault("Content-Type", "application/json")
        url = self.url + (path[1:] if path.startswith("//") else f"/api/v1{path}")
        async with self._session.request(
            method,
            url,
            data=None if content is None else io.BytesIO(content),
            params=query,
            headers=sent,
            allow_redirects=False,
        ) as answer:
            received = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(f"{method} {path}", answer.status, received, await answer.read())
