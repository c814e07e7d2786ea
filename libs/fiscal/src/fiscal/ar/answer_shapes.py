"""What WSAA and WSFEv1 answer, once it has been read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from fiscal.errors import Message


@dataclass(frozen=True, slots=True)
class Login:
    """Either a ticket or a fault, whose code is such as coe.alreadyAuthenticated."""

    token: str = field(default="", repr=False)
    sign: str = field(default="", repr=False)
    expires_at: datetime | None = None
    fault: Message | None = None


@dataclass(frozen=True, slots=True)
class Last:
    number: int | None
    errors: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """result: A accepted, R rejected, P in part, empty where errors alone came back. notes: Observaciones."""

    result: str
    cae: str
    due: date | None
    notes: tuple[Message, ...]
    errors: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Consulted:
    """found: something is under this number. same: it is the document that was prepared."""

    found: bool
    same: bool
    cae: str
    due: date | None
    notes: tuple[Message, ...]
    errors: tuple[Message, ...]
