"""Argentina for billing: Factura A, B and C and their credit notes, with a CAE each."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from typing import Final

from kernel import Country

from fiscal.ar import printing, profile
from fiscal.ar.answer_shapes import Consulted
from fiscal.ar.client import ArcaClient
from fiscal.ar.settings import ArgentinaSettings
from fiscal.ar.voucher import parse_series, point_of_sale, series_of, type_of, voucher
from fiscal.document import DocumentKind, FiscalDocument
from fiscal.errors import AuthorityUnavailable, BadProfile, Message, OutcomeUnknown
from fiscal.profile import CheckedProfile, Environment, IssuerProfile, ProfileDraft
from fiscal.provider import (
    CancelRequest,
    Capabilities,
    FiscalProvider,
    FiscalRef,
    Numbering,
    NumberLease,
    NumberSource,
    Outcome,
    Prepared,
    Printed,
    RejectedNumber,
    State,
)
from fiscal.registry import Tools

_NOT_THERE: Final = "602"
_NOT_NEXT: Final = "10016"
_NO_SUCH_POINT_OF_SALE: Final = "11002"


class ArgentinaProvider(FiscalProvider):
    country = Country.AR
    capabilities = Capabilities(
        kinds=frozenset({DocumentKind.INVOICE, DocumentKind.TICKET, DocumentKind.CREDIT_NOTE}),
        automatic=DocumentKind.TICKET,
        numbers=NumberSource.AUTHORITY,
        rejected_number=RejectedNumber.RETURN,
        async_reply=False,
        native_cancel=False,
        offline_codes=False,
        number_digits=8,
    )
    profile_fields = profile.PROFILE_FIELDS

    def __init__(self, tools: Tools, settings: ArgentinaSettings) -> None:
        self._tools = tools
        self._settings = settings
        self._clients: dict[Environment, ArcaClient] = {}

    def check_profile(self, draft: ProfileDraft, today: date) -> CheckedProfile:
        return profile.check(draft, today)

    def numbering(self, issuer: IssuerProfile, document: FiscalDocument) -> Numbering:
        type, place = type_of(issuer, document), point_of_sale(issuer)
        return Numbering(str(type), series_of(place, type), f"{place:05d}-")

    async def last_number(self, issuer: IssuerProfile, numbering: Numbering) -> int:
        """Raises AuthorityUnavailable; BadProfile where ARCA does not know the point of sale or the certificate."""
        place, type = parse_series(numbering.series)
        found = await self._client(issuer).last(issuer, place, type)
        if found.number is None:
            if any(message.code == _NO_SUCH_POINT_OF_SALE for message in found.errors):
                raise BadProfile.field("fields.pointOfSale", "is not registered at ARCA for web services")
            raise AuthorityUnavailable("authority_error")
        return found.number

    async def prepare(self, issuer: IssuerProfile, document: FiscalDocument, lease: NumberLease) -> Prepared:
        series = lease.numbering.series
        wanted = voucher(issuer, document, series, lease.number, self._settings.identified_from)
        payload: bytes = await self._tools.workshop.run("fiscal.ar.document:build", wanted)
        return Prepared(lease.numbering.document_type, series, lease.number, payload, sha256(payload).hexdigest())

    async def issue(self, issuer: IssuerProfile, ref: FiscalRef, *, idempotency_key: str) -> Outcome:
        """The number is what makes it one document: ARCA takes each once, and in order."""
        try:
            decision, body = await self._client(issuer).solicit(issuer, ref.prepared.payload)
        except BadProfile:
            # Refused a ticket, before the document was sent.
            raise AuthorityUnavailable("ticket_refused") from None
        if decision.result == "A" and decision.cae:
            return _accepted(ref, decision.cae, decision.due, decision.notes, body)
        messages = (*decision.notes, *decision.errors)
        if any(message.code == _NOT_NEXT for message in messages):
            return await self._taken(issuer, ref, messages)
        if decision.result == "R" or (messages and all(_is_no(message) for message in messages)):
            return Outcome(State.REJECTED, messages=messages, receipt=body)
        raise OutcomeUnknown("authority_error")

    async def status(self, issuer: IssuerProfile, ref: FiscalRef) -> Outcome:
        try:
            found = await self._consulted(issuer, ref)
        except BadProfile:
            raise AuthorityUnavailable("ticket_refused") from None
        if found.same:
            return _accepted(ref, found.cae, found.due, found.notes, None)
        if found.found:
            text = "Otro comprobante tiene este número: ¿otro sistema usa el punto de venta?"
            return Outcome(State.REJECTED, messages=(Message("numero_ajeno", text),))
        if any(message.code == _NOT_THERE for message in found.errors):
            return Outcome(State.PREPARED)
        raise AuthorityUnavailable("authority_error")

    async def cancel(self, issuer: IssuerProfile, ref: FiscalRef, request: CancelRequest) -> Outcome:
        raise NotImplementedError("a credit note takes a document back")

    def printed(self, issuer: IssuerProfile, document: FiscalDocument, prepared: Prepared, outcome: Outcome) -> Printed:
        shown = voucher(issuer, document, prepared.series, prepared.number)
        return printing.printed(issuer, shown, outcome)

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()

    async def _taken(self, issuer: IssuerProfile, ref: FiscalRef, messages: tuple[Message, ...]) -> Outcome:
        """The number is not the next: perhaps because this very document has it already."""
        try:
            found = await self._consulted(issuer, ref)
        except (AuthorityUnavailable, BadProfile):
            raise OutcomeUnknown from None
        if found.same:
            return _accepted(ref, found.cae, found.due, found.notes, None)
        return Outcome(State.REJECTED, messages=messages)

    async def _consulted(self, issuer: IssuerProfile, ref: FiscalRef) -> Consulted:
        place, type = parse_series(ref.prepared.series)
        prepared = ref.prepared
        return await self._client(issuer).consult(issuer, place, type, prepared.number, prepared.payload)

    def _client(self, issuer: IssuerProfile) -> ArcaClient:
        found = self._clients.get(issuer.environment)
        if found is None:
            found = self._clients[issuer.environment] = ArcaClient(issuer.environment, self._settings, self._tools)
        return found


def open_provider(tools: Tools) -> ArgentinaProvider:
    return ArgentinaProvider(tools, ArgentinaSettings())


def _accepted(ref: FiscalRef, cae: str, due: date | None, notes: tuple[Message, ...], receipt: bytes | None) -> Outcome:
    return Outcome(
        State.ACCEPTED_WITH_NOTES if notes else State.ACCEPTED,
        fiscal_id=cae,
        signed_document=_stamped(ref.prepared.payload, cae, due),
        receipt=receipt,
        expires_on=due,
        messages=notes,
    )


def _stamped(payload: bytes, cae: str, due: date | None) -> bytes:
    """What was sent with what came back. ARCA knows no document of its own; this form is ours, in its words."""
    stamp = f"<CAE>{int(cae):014d}</CAE><CAEFchVto>{due:%Y%m%d}</CAEFchVto>" if due else f"<CAE>{int(cae):014d}</CAE>"
    return (
        b'<?xml version="1.0" encoding="UTF-8"?>'
        b'<Comprobante xmlns="http://ar.gov.afip.dif.FEV1/">' + payload + stamp.encode() + b"</Comprobante>"
    )


def _is_no(message: Message) -> bool:
    """A code of the validations, which are from 10000 on; below are troubles of the service itself."""
    return message.code.isdigit() and int(message.code) >= 10_000
