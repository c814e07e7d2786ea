"""The browser a buyer comes with, as a bank wants to know it."""

from __future__ import annotations

import re
import secrets
from ipaddress import ip_address
from typing import Final, TypeVar

from psp.provider import BuyerDevice
from starlette.requests import Request
from starlette.responses import Response

ResponseT = TypeVar("ResponseT", bound=Response)

COOKIE: Final = "cobro_visit"
_VALUE: Final = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
_MAX_AGENT: Final = 1024
_UNKNOWN_AGENT: Final = "unknown"
_NOWHERE: Final = "0.0.0.0"  # noqa: S104 - no address to listen on


def device_of(request: Request, token: str) -> BuyerDevice:
    """token: of the form, which is the session. It stands in for a cookie that the browser has not kept, too."""
    # The gateway writes the header anew, so its last entry is what the gateway itself saw.
    forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    peer = request.client.host if request.client else ""
    agent = "".join(sign for sign in request.headers.get("user-agent", "") if " " <= sign <= "~")
    return BuyerDevice(
        ip_address=_address(forwarded) or _address(peer) or _NOWHERE,
        user_agent=agent[:_MAX_AGENT] or _UNKNOWN_AGENT,
        session_id=token,
        cookie=_visit(request) or token,
    )


def remember(request: Request, response: ResponseT, *, secure: bool) -> ResponseT:
    """Give a browser that has none a cookie, which tells it apart and nothing else."""
    if _visit(request) is None:
        response.set_cookie(
            COOKIE, secrets.token_urlsafe(16), path="/api/v1/pay", secure=secure, httponly=True, samesite="lax"
        )
    return response


def _visit(request: Request) -> str | None:
    given = request.cookies.get(COOKIE, "")
    return given if _VALUE.fullmatch(given) else None


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        return ""
