"""What `reading` gives: light, because it crosses to the process that asked."""

from __future__ import annotations

from dataclasses import dataclass, field

from fiscal.errors import Message


@dataclass(frozen=True, slots=True)
class Printout:
    """What identifies a sealed document to SAT."""

    issuer: str
    receiver: str
    total: str
    seal: str


@dataclass(frozen=True, slots=True)
class Soap:
    """An answer of Finkok. xml: of the stamped document. codes: of its incidencias, or of the cancellation."""

    xml: bytes | None = field(default=None, repr=False)
    messages: tuple[Message, ...] = ()
    status: str = ""
    receipt: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Standing:
    """How SAT says a document stands: Estado, EstatusCancelacion."""

    state: str
    cancelation: str
