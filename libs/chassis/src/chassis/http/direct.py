"""The short way to routes that are asked thousands of times a second.

FastAPI finds a route by trying one after the other, and walks the tree of its dependencies anew for every request: half
of the processor time of reading one row. A route marked `@direct` stays an ordinary route, documented and validated as
any other; but its dependencies are put in order once, at start, and a request that plainly fits goes straight to the
endpoint. Whatever does not fit, be it an odd path, a value that fails validation or another media type, is handed to
FastAPI untouched, so that there is one place that says what is wrong with a request.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, TypeVar
from uuid import UUID

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.http.errors import response_of

EndpointT = TypeVar("EndpointT", bound=Callable[..., Awaitable[Response]])
Resolve = Callable[[Request, dict[Any, Any]], Awaitable[Any]]

_MARK: Final = "__cobro_direct__"
_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_BODY: Final = object()
_PARAMETER: Final = re.compile(r"\{([a-z_]+)\}")


def direct(endpoint: EndpointT) -> EndpointT:
    """Mark the endpoint of a hot route. It must be async and answer with a Response of its own.

    Its dependencies may be asked a second time, by FastAPI, about a request that turns out not to fit.
    """
    setattr(endpoint, _MARK, True)
    return endpoint


class _DoesNotFit(Exception):
    """FastAPI has to look at this request."""


class DirectTable:
    """The direct ones among `routes`, by method and number of segments. Raises TypeError where one cannot be direct."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._targets: dict[tuple[str, int], list[_Direct]] = defaultdict(list)
        for route in routes:
            if isinstance(route, APIRoute) and getattr(route.endpoint, _MARK, False):
                target = _Direct(route)
                for method in route.methods or ():
                    self._targets[method, len(target.segments)].append(target)

    def find(self, method: str, path: str) -> tuple[_Direct, dict[str, Any]] | None:
        """The route, and its path's parameters as they stand there."""
        segments = path.split("/")
        for target in self._targets.get((method, len(segments)), ()):
            parameters = target.match(segments)
            if parameters is not None:
                return target, parameters
        return None


class DirectRoutes:
    """ASGI middleware in front of FastAPI's routing."""

    def __init__(self, app: ASGIApp, table: DirectTable) -> None:
        self._app = app
        self._table = table

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._table.find(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        target, scope["path_params"] = found
        scope["route"] = target.route
        request = Request(scope, receive, send)
        try:
            response = await target.answer(request)
        except _DoesNotFit:
            del scope["route"], scope["path_params"]
            await self._app(scope, await _replayed(request, receive), send)
            return
        except Exception as error:
            answer = response_of(request, error)
            if answer is None:
                raise
            response = answer
        await response(scope, receive, send)


class _Direct:
    """A route, with the resolvers of its endpoint's arguments."""

    def __init__(self, route: APIRoute) -> None:
        self.route = route
        self.segments = [
            (found[1] if (found := _PARAMETER.fullmatch(part)) else None, part) for part in route.path.split("/")
        ]
        self._has_body = bool(route.dependant.body_params)
        self._resolve = _compile(route.dependant, route)

    def match(self, segments: list[str]) -> dict[str, Any] | None:
        parameters = {}
        for (name, literal), given in zip(self.segments, segments, strict=True):
            if name is None:
                if given != literal:
                    return None
            elif _ID.fullmatch(given):
                parameters[name] = given
            else:
                return None
        return parameters

    async def answer(self, request: Request) -> Response:
        # First, as FastAPI does: a body that is no JSON is refused before anyone asks who sent it.
        body = await _json(request) if self._has_body else None
        response = await self._resolve(request, {_BODY: body})
        assert isinstance(response, Response)
        return response


def _compile(dependant: Dependant, route: APIRoute) -> Resolve:
    """A function that finds the arguments of `dependant.call` in a request, and calls it."""
    call: Any = dependant.call
    _check(dependant, route)
    dependencies = [(item.name, item.call, _compile(item, route)) for item in dependant.dependencies]
    path_names = [field.name for field in dependant.path_params]
    queries = [(field.name, field.field_info.alias or field.name, field) for field in dependant.query_params]
    headers = [(field.name, field.field_info.alias or field.name, field) for field in dependant.header_params]
    request_names = [name for name in (dependant.request_param_name, dependant.http_connection_param_name) if name]
    body = dependant.body_params[0] if dependant.body_params else None

    async def resolve(request: Request, solved: dict[Any, Any]) -> Any:
        values: dict[str, Any] = {}
        for name, key, sub in dependencies:
            value = solved[key] if key in solved else await sub(request, solved)
            solved[key] = value
            if name is not None:
                values[name] = value
        for name in path_names:
            values[name] = UUID(request.path_params[name])
        if queries:
            _take(values, queries, request.query_params)
        if headers:
            _take(values, headers, request.headers)
        for name in request_names:
            values[name] = request
        if body is not None:
            values[body.name] = _valid(body, solved[_BODY])
        return await call(**values)

    return resolve


def _check(dependant: Dependant, route: APIRoute) -> None:
    unsupported = (
        dependant.cookie_params
        or dependant.response_param_name
        or dependant.background_tasks_param_name
        or dependant.security_scopes_param_name
        or dependant.body_params[1:]
        or [field for field in dependant.path_params if field.field_info.annotation is not UUID]
    )
    if unsupported:
        raise TypeError(f"{route.path} cannot be a direct route: {unsupported!r}")


def _take(values: dict[str, Any], fields: list[tuple[str, str, Any]], given: Any) -> None:
    for name, alias, field in fields:
        if alias in given:
            values[name] = _valid(field, given[alias])
        elif field.field_info.is_required():
            raise _DoesNotFit
        else:
            values[name] = field.get_default()


def _valid(field: Any, value: Any) -> Any:
    valid, errors = field.validate(value, {}, loc=())
    if errors:
        raise _DoesNotFit
    return valid


async def _json(request: Request) -> Any:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip()
    if media_type != "application/json" or not await request.body():
        raise _DoesNotFit
    try:
        return await request.json()
    except (ValueError, RecursionError):
        raise _DoesNotFit from None


async def _replayed(request: Request, receive: Receive) -> Receive:
    """What `request` has read already can be read once more."""
    if not hasattr(request, "_body"):
        return receive
    messages: list[Message] = [{"type": "http.request", "body": await request.body(), "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay
