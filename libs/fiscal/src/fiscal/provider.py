"""The contract of a country: what its folder can be asked, and every way it can answer (errors in `fiscal.errors`).

Rules (the tests of every country inherit them, `fiscal.testing.contract`):

1. `prepare` is pure: no network, no clock, no random number. The same document, number and profile give the same bytes.
   The number and the bytes are committed together, and only then is anything sent.
2. A time-out, or a connection that is lost after the request left, raises OutcomeUnknown. Then `status` is asked, and a
   document is never issued again on a guess.
3. Only an explicit yes or no is final. What is neither is State.SUBMITTED or State.UNKNOWN.
4. Credentials come with every call, in `IssuerProfile`, and are kept by nobody but the workshop's process, which may
   remember a few opened keys until it ends, a minute after its last job. A ticket or token that was got with them may
   be remembered, keyed by tax id and environment, until it expires.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Protocol

from kernel import Country, Money

from fiscal.document import DocumentKind, FiscalDocument
from fiscal.errors import Message
from fiscal.profile import CheckedProfile, Environment, FieldSpec, IssuerProfile, NumberStock, ProfileDraft


class State(StrEnum):
    """What an authority says of a document, and before it does, what we know ourselves."""

    PREPARED = "prepared"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    ACCEPTED_WITH_NOTES = "accepted_with_notes"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    CANCEL_PENDING = "cancel_pending"
    CANCELED = "canceled"
    CANCEL_REJECTED = "cancel_rejected"


class NumberSource(StrEnum):
    """FREE: a counter of ours (Mexico). STOCK: ranges or folios given out by the authority (Colombia, Chile).
    AUTHORITY: its last number and one, so that one document of a series is under way at a time (Argentina)."""

    FREE = "free"
    STOCK = "stock"
    AUTHORITY = "authority"


class RejectedNumber(StrEnum):
    """What becomes of the number of a document that was rejected: the document KEEPs it for its next try, it is
    RETURNed for any document, or it is BURNt and the next try takes another."""

    KEEP = "keep"
    RETURN = "return"
    BURN = "burn"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """kinds: what can be issued. automatic: what a completed sale becomes of itself, TICKET or GLOBAL.

    async_reply: issue may answer SUBMITTED, and the decision is asked for. native_cancel: the authority cancels; else
    a credit note does. motives: what a cancellation may say, by code, with words in Spanish. number_digits: to which a
    printed number is filled up with zeros.
    """

    kinds: frozenset[DocumentKind]
    automatic: DocumentKind
    numbers: NumberSource
    rejected_number: RejectedNumber
    async_reply: bool
    native_cancel: bool
    offline_codes: bool
    motives: dict[str, str] = field(default_factory=dict)
    number_digits: int = 1


@dataclass(frozen=True, slots=True)
class Numbering:
    """Which series a document is numbered in. document_type: the country's code (01, 39, 6, I).

    series: unique among the business's series of this environment; the point of sale, prefix and type that make it so.
    printed: what stands before the number on paper, such as a prefix. source: where this series' numbers come from,
    where not from Capabilities.numbers.
    """

    document_type: str
    series: str
    printed: str = ""
    source: NumberSource | None = None


@dataclass(frozen=True, slots=True)
class NumberLease:
    """A number that is this document's alone. stock: where it comes from, of NumberSource.STOCK."""

    numbering: Numbering
    number: int
    stock: NumberStock | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is stored before anything is sent. payload: what `issue` sends, signed where we sign.

    local_fiscal_id: where we compute it (CUFE, CUDE, the id of a DTE).
    """

    document_type: str
    series: str
    number: int
    payload: bytes = field(repr=False)
    payload_sha256: str
    local_fiscal_id: str | None = None


@dataclass(frozen=True, slots=True)
class FiscalRef:
    """A document that was sent, or may have been. authority_ref: a track id, where the authority gave one."""

    kind: DocumentKind
    prepared: Prepared
    fiscal_id: str | None = None
    authority_ref: str | None = None


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """motive: one of Capabilities.motives. substitution: fiscal id of the document that takes its place."""

    motive: str
    substitution: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """fiscal_id: UUID, CUFE, CAE, type and folio; set exactly when the document is or was accepted. authority_ref:
    track id.

    signed_document: what is handed to the buyer, with the authority's stamp where it puts one; None where it is what
    was prepared. receipt: the authority's own answer (acuse, ApplicationResponse). expires_on: CAEFchVto.
    retry_after: when to ask again, of SUBMITTED, UNKNOWN and CANCEL_PENDING.
    """

    state: State
    fiscal_id: str | None = None
    authority_ref: str | None = None
    signed_document: bytes | None = field(default=None, repr=False)
    receipt: bytes | None = field(default=None, repr=False)
    expires_on: date | None = None
    messages: tuple[Message, ...] = ()
    retry_after: timedelta | None = None


class CodeKind(StrEnum):
    QR = "qr"
    PDF417 = "pdf417"


@dataclass(frozen=True, slots=True)
class PrintedCode:
    """content: exactly what a reader must read; PDF417 takes its bytes in ISO-8859-1."""

    kind: CodeKind
    content: str


@dataclass(frozen=True, slots=True)
class Printed:
    """What the law wants on paper, in its words. title: such as BOLETA ELECTRÓNICA. mark: the letter of an Argentine
    invoice. facts: label and value, such as CAE. texts: whole sentences below all else.
    taxes: by rate, where the document rounds them otherwise than the sum of its lines.
    frame: the lines of a box that stands in for title and number at the head; below_frame: the line under it, or under
    the mark. caption: the lines right under the code. chains: label and value of seals, hundreds of characters each,
    in small print over the whole width."""

    title: str
    mark: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    code: PrintedCode | None = None
    texts: tuple[str, ...] = ()
    taxes: tuple[tuple[Decimal, Money], ...] = ()
    frame: tuple[str, ...] = ()
    below_frame: str = ""
    caption: tuple[str, ...] = ()
    chains: tuple[tuple[str, str], ...] = ()


class FiscalProvider(Protocol):
    """One per country and process. Its class data, `profile_fields`, `check_profile`, `numbering` and `printed` need
    neither network nor secrets of ours, and load nothing heavy but on their first call."""

    country: ClassVar[Country]
    capabilities: ClassVar[Capabilities]
    profile_fields: ClassVar[tuple[FieldSpec, ...]]

    def check_profile(self, draft: ProfileDraft, today: date) -> CheckedProfile:
        """Called in a thread: may parse certificates. Raises BadProfile naming every field that is wrong."""
        ...

    def numbering(self, issuer: IssuerProfile, document: FiscalDocument) -> Numbering:
        """Raises Rejected for what cannot be documented so, such as an invoice to a receiver without a tax id."""
        ...

    async def last_number(self, issuer: IssuerProfile, numbering: Numbering) -> int:
        """The last one the authority knows, 0 for none; asked of NumberSource.AUTHORITY alone. Raises
        AuthorityUnavailable."""
        ...

    async def prepare(self, issuer: IssuerProfile, document: FiscalDocument, lease: NumberLease) -> Prepared:
        """Build and sign, off the event loop. Raises Rejected, BadProfile (an expired certificate)."""
        ...

    async def issue(self, issuer: IssuerProfile, ref: FiscalRef, *, idempotency_key: str) -> Outcome:
        """Send what was prepared. A document that is there already is ACCEPTED as what it was. Raises
        AuthorityUnavailable only where nothing happened there, else OutcomeUnknown."""
        ...

    async def status(self, issuer: IssuerProfile, ref: FiscalRef) -> Outcome:
        """Ask; move nothing. UNKNOWN with authority_ref None and nothing there: State.PREPARED, it may be sent again.
        Raises AuthorityUnavailable."""
        ...

    async def cancel(self, issuer: IssuerProfile, ref: FiscalRef, request: CancelRequest) -> Outcome:
        """Of Capabilities.native_cancel alone: CANCELED, CANCEL_PENDING or CANCEL_REJECTED. Cancelling twice is
        harmless. Raises AuthorityUnavailable, OutcomeUnknown; then `status` tells."""
        ...

    def printed(
        self, issuer: IssuerProfile, document: FiscalDocument, prepared: Prepared, outcome: Outcome
    ) -> Printed: ...

    async def close(self) -> None: ...


__all__ = [
    "CancelRequest",
    "Capabilities",
    "CheckedProfile",
    "CodeKind",
    "Environment",
    "FieldSpec",
    "FiscalProvider",
    "FiscalRef",
    "IssuerProfile",
    "Message",
    "NumberLease",
    "NumberSource",
    "NumberStock",
    "Numbering",
    "Outcome",
    "Prepared",
    "Printed",
    "PrintedCode",
    "ProfileDraft",
    "RejectedNumber",
    "State",
]
