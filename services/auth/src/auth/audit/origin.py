"""From where a change was asked for: kept beside the request, so that no use case has to hand it on."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated

from chassis.telemetry.context import request_id
from fastapi import Depends, Header, Request

_DEVICE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Origin:
    """address: of the client, as the gateway saw it. All empty for what no request asked for."""

    address: str = ""
    device: str = ""
    request_id: str = ""


_NOWHERE = Origin()
_origin: ContextVar[Origin | None] = ContextVar("cobro_auth_origin", default=None)


def current_origin() -> Origin:
    return _origin.get() or _NOWHERE


async def _note(
    request: Request,
    x_forwarded_for: Annotated[str | None, Header(include_in_schema=False)] = None,
    user_agent: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> None:
    # The gateway writes the header anew, so its last entry is what the gateway itself saw.
    forwarded = (x_forwarded_for or "").rpartition(",")[2].strip()
    peer = request.client.host if request.client else ""
    device = "".join(character for character in user_agent or "" if character.isprintable())
    _origin.set(Origin(_address(forwarded) or _address(peer), device[:_DEVICE_LENGTH], request_id.get()))


def _address(value: str) -> str:
    try:
        return str(ip_address(value))
    except ValueError:
        return ""


NoteOrigin = Depends(_note)
"""A dependency of every router whose use cases write to the audit log."""
