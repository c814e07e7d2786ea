"""SII's documents as the contract of all countries has them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo

from kernel import Country

from fiscal.cl import kinds, printing, profile
from fiscal.cl.answers import DocumentState, EnvelopeState, Presence, Upload
from fiscal.cl.batches import Batches
from fiscal.cl.client import SiiClient
from fiscal.cl.document import local_id, sealed_in
from fiscal.cl.emitter import Emitter
from fiscal.cl.settings import ChileSettings
from fiscal.document import DocumentKind, FiscalDocument
from fiscal.errors import Message
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

_PENDING_AGAIN: Final = timedelta(seconds=10)


def open_provider(tools: Tools) -> FiscalProvider:
    return ChileProvider(ChileSettings(), tools)


class ChileProvider(FiscalProvider):
    country = Country.CL
    capabilities = Capabilities(
        kinds=frozenset({DocumentKind.INVOICE, DocumentKind.TICKET, DocumentKind.CREDIT_NOTE}),
        automatic=DocumentKind.TICKET,
        numbers=NumberSource.STOCK,
        rejected_number=RejectedNumber.BURN,
        async_reply=True,
        native_cancel=False,
        offline_codes=True,
        motives={"1": "Anula documento de referencia", "3": "Corrige montos"},
    )
    profile_fields = profile.PROFILE_FIELDS

    def __init__(self, settings: ChileSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools
        self._clients: dict[Environment, SiiClient] = {}
        self._batches = Batches(settings.batch_seconds, settings.batch_size)

    def check_profile(self, draft: ProfileDraft, today: date) -> CheckedProfile:
        return profile.check(self._settings, draft, today)

    def numbering(self, issuer: IssuerProfile, document: FiscalDocument) -> Numbering:
        kind = kinds.document_type(document)
        return Numbering(kind, kind)

    async def last_number(self, issuer: IssuerProfile, numbering: Numbering) -> int:
        raise NotImplementedError

    async def prepare(self, issuer: IssuerProfile, document: FiscalDocument, lease: NumberLease) -> Prepared:
        assert lease.stock is not None
        kind, series = lease.numbering.document_type, lease.numbering.series
        payload: bytes = await self._tools.workshop.run(
            "fiscal.cl.signing:signed_document", Emitter.of(issuer), document, kind, lease.number, lease.stock.content
        )
        return Prepared(kind, series, lease.number, payload, sha256(payload).hexdigest(), local_id(kind, lease.number))

    async def issue(self, issuer: IssuerProfile, ref: FiscalRef, *, idempotency_key: str) -> Outcome:
        """A folio is itself what SII knows a document by: it takes one once, whatever else is sent with it."""
        emitter, boletas = Emitter.of(issuer), ref.prepared.document_type in kinds.BOLETAS
        client = self._client(issuer)

        async def send(payloads: tuple[bytes, ...]) -> Upload:
            moment = self._tools.clock.now().astimezone(ZoneInfo(issuer.time_zone)).strftime("%Y-%m-%dT%H:%M:%S")
            envelope: bytes = await self._tools.workshop.run("fiscal.cl.signing:envelope", emitter, payloads, moment)
            return await client.upload(issuer, emitter, envelope, boletas=boletas)

        key = (str(issuer.business_id), issuer.environment.value, emitter.fingerprint, str(boletas))
        upload = await self._batches.send(key, ref.prepared.payload, send)
        if upload.track_id:
            return Outcome(State.SUBMITTED, authority_ref=upload.track_id, retry_after=self._settings.poll)
        return Outcome(State.REJECTED, messages=(Message(upload.code, upload.text),))

    async def status(self, issuer: IssuerProfile, ref: FiscalRef) -> Outcome:
        emitter, boletas = Emitter.of(issuer), ref.prepared.document_type in kinds.BOLETAS
        client = self._client(issuer)
        if ref.authority_ref is None:
            document = await client.document_state(issuer, emitter, sealed_in(ref.prepared.payload), boletas=boletas)
            return self._of_document(ref, document)
        envelope = await client.envelope_state(issuer, emitter, ref.authority_ref, boletas=boletas)
        outcome = self._of_envelope(ref, envelope)
        if outcome is not None:
            return replace(outcome, authority_ref=ref.authority_ref)
        # Refused as a whole or in part: what counts is whether SII has this document, as we have it. It has, where this
        # envelope came a second time.
        document = await client.document_state(issuer, emitter, sealed_in(ref.prepared.payload), boletas=boletas)
        if document.presence is Presence.SAME:
            return replace(self._of_document(ref, document), authority_ref=ref.authority_ref)
        folio = (ref.prepared.document_type, ref.prepared.number)
        said = (envelope.rejected or {}).get(folio) or (
            Message(document.code if envelope.clean or not envelope.refused else envelope.code, envelope.text),
        )
        return Outcome(State.REJECTED, authority_ref=ref.authority_ref, messages=said)

    async def cancel(self, issuer: IssuerProfile, ref: FiscalRef, request: CancelRequest) -> Outcome:
        raise NotImplementedError

    def printed(self, issuer: IssuerProfile, document: FiscalDocument, prepared: Prepared, outcome: Outcome) -> Printed:
        return printing.printed(issuer, document, prepared)

    async def close(self) -> None:
        await self._batches.close()
        for client in self._clients.values():
            await client.close()

    def _client(self, issuer: IssuerProfile) -> SiiClient:
        found = self._clients.get(issuer.environment)
        if found is None:
            found = self._clients[issuer.environment] = SiiClient(self._settings, issuer.environment, self._tools)
        return found

    def _of_envelope(self, ref: FiscalRef, envelope: EnvelopeState) -> Outcome | None:
        """None where the document itself has to be asked for."""
        folio = (ref.prepared.document_type, ref.prepared.number)
        if not envelope.decided:
            return Outcome(State.SUBMITTED, retry_after=self._settings.poll)
        if envelope.clean:
            return Outcome(State.ACCEPTED, fiscal_id=local_id(*folio))
        if envelope.rejected is None or folio in envelope.rejected:
            return None
        if envelope.noted and folio in envelope.noted:
            return Outcome(State.ACCEPTED_WITH_NOTES, fiscal_id=local_id(*folio), messages=envelope.noted[folio])
        return Outcome(State.ACCEPTED, fiscal_id=local_id(*folio))

    def _of_document(self, ref: FiscalRef, document: DocumentState) -> Outcome:
        match document.presence:
            case Presence.SAME:
                state = State.ACCEPTED_WITH_NOTES if document.noted else State.ACCEPTED
                said = (Message(document.code, document.text),) if document.noted else ()
                return Outcome(state, local_id(ref.prepared.document_type, ref.prepared.number), messages=said)
            case Presence.OTHER:
                return Outcome(State.REJECTED, messages=(Message(document.code, document.text),))
            case Presence.ABSENT:
                return Outcome(State.PREPARED)
            case Presence.PENDING:
                return Outcome(State.SUBMITTED, retry_after=_PENDING_AGAIN)
