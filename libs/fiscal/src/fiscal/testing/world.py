"""What a test module gives to FiscalContract: the provider beside a twin of its authority, and the hands to make
things happen there."""

from __future__ import annotations

from typing import Protocol

from kernel import FixedClock

from fiscal.document import DocumentKind, FiscalDocument
from fiscal.profile import IssuerProfile
from fiscal.provider import FiscalProvider, FiscalRef, NumberLease


class FiscalWorld(Protocol):
    provider: FiscalProvider
    issuer: IssuerProfile
    clock: FixedClock

    def document(self, kind: DocumentKind) -> FiscalDocument:
        """A good one; of a CREDIT_NOTE, one that refers to a document this world has issued."""
        ...

    async def lease(self, document: FiscalDocument) -> NumberLease:
        """The next number of its series, as the authority wants it."""
        ...

    async def issued(self, ref: FiscalRef) -> int:
        """How often the authority has this document."""
        ...

    async def decide(self, ref: FiscalRef) -> None:
        """An authority that decides later does so now, for a document or a cancellation; nothing where it decides at
        once."""
        ...

    async def next_times_out_after_accepting(self) -> None: ...

    async def next_is_rejected(self) -> None: ...

    async def next_is_slow(self) -> None:
        """Answered only after more than the provider's time-out, and without effect until then."""
        ...

    async def down(self) -> None:
        """Until `up`, nobody answers: connections are refused, or it says 503 before doing anything."""
        ...

    async def up(self) -> None: ...
