"""What a PAC can be asked, whoever it is, and what it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from fiscal.errors import Message


@dataclass(frozen=True, slots=True)
class Stamped:
    """content: the CFDI with its stamp."""

    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """An explicit no, with SAT's or the PAC's code."""

    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class CancelAnswer:
    """code: SAT's, 201 taken, 202 canceled before, others no. receipt: the acuse."""

    code: str
    text: str = ""
    receipt: bytes | None = field(default=None, repr=False)


class Pac(Protocol):
    """The services of one PAC in one environment. Credentials are ours with the PAC, from the settings.

    custom_id: the same for the same bytes, and only for them.
    """

    name: ClassVar[str]

    async def stamp(self, sealed: bytes, custom_id: str) -> Stamped | Refused:
        """A document that it has stamped before is Stamped, as it was. Raises AuthorityUnavailable, OutcomeUnknown."""
        ...

    async def stamped(self, sealed: bytes, custom_id: str) -> Stamped | None:
        """What it has stamped of these bytes; None for nothing. Moves nothing. Raises AuthorityUnavailable."""
        ...

    async def cancel(self, request: bytes) -> CancelAnswer:
        """request: signed by the issuer. Raises AuthorityUnavailable, OutcomeUnknown."""
        ...

    async def close(self) -> None: ...
