"""Mexico: CFDI 4.0 through one of several PACs.

A PAC stamps at once. The next one is tried only where the one before it has certainly done nothing; a document whose
fate at one of them is unknown is asked for there, and sent again to no other: two stamps would be two invoices.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo

from kernel import Country

from fiscal.document import DocumentKind, FiscalDocument
from fiscal.errors import AuthorityUnavailable, Message, OutcomeUnknown, Rejected
from fiscal.mx import catalogs, printing, profile
from fiscal.mx.answers import Printout
from fiscal.mx.finkok import Finkok
from fiscal.mx.pac import CancelAnswer, Pac, Refused, Stamped
from fiscal.mx.sat import SatQuery
from fiscal.mx.settings import MexicoSettings, PacName
from fiscal.mx.sw import SwSapien
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
from fiscal.transport import Transport

_SERIES: Final = {DocumentKind.INVOICE: "F", DocumentKind.GLOBAL: "G", DocumentKind.CREDIT_NOTE: "NC"}
_TAKEN: Final = frozenset({"201", "202"})
# SAT does not know it yet: stamps reach it minutes later.
_UNKNOWN_THERE: Final = "205"
_SOON: Final = timedelta(minutes=1)
# A buyer has three business days to refuse.
_LATER: Final = timedelta(hours=1)


def open_provider(tools: Tools) -> Mexico:
    return Mexico(MexicoSettings(), tools)


class Mexico(FiscalProvider):
    country = Country.MX
    capabilities = Capabilities(
        kinds=frozenset({DocumentKind.INVOICE, DocumentKind.GLOBAL, DocumentKind.CREDIT_NOTE}),
        automatic=DocumentKind.GLOBAL,
        numbers=NumberSource.FREE,
        rejected_number=RejectedNumber.KEEP,
        async_reply=False,
        native_cancel=True,
        offline_codes=False,
        motives=dict(catalogs.MOTIVES),
    )
    profile_fields = profile.PROFILE_FIELDS

    def __init__(self, settings: MexicoSettings, tools: Tools) -> None:
        self._tools = tools
        self._pacs: dict[Environment, tuple[Pac, ...]] = {
            environment: tuple(_pac(name, environment, settings, tools) for name in settings.pacs)
            for environment in Environment
        }
        self._sat = {
            Environment.TEST: SatQuery(Transport("sat_test", settings.sat_test_url, settings), tools.workshop),
            Environment.PRODUCTION: SatQuery(Transport("sat", settings.sat_url, settings), tools.workshop),
        }

    def check_profile(self, draft: ProfileDraft, today: date) -> CheckedProfile:
        return profile.check(draft, today)

    def numbering(self, issuer: IssuerProfile, document: FiscalDocument) -> Numbering:
        kind = "E" if document.kind is DocumentKind.CREDIT_NOTE else "I"
        if document.kind not in self.capabilities.kinds:
            raise Rejected([Message("kind", "México no emite este tipo de documento")])
        if missing := _missing(document):
            raise Rejected(missing)
        series = _SERIES[document.kind]
        return Numbering(kind, series, f"{series}-")

    async def last_number(self, issuer: IssuerProfile, numbering: Numbering) -> int:
        raise NotImplementedError("numbers are ours here")

    async def prepare(self, issuer: IssuerProfile, document: FiscalDocument, lease: NumberLease) -> Prepared:
        fields = {
            "rfc": issuer.tax_id,
            "name": issuer.legal_name.strip().upper(),
            "regime": issuer.regime,
            "postal_code": issuer.address.postal_code,
            "product_code": issuer.fields.get("productCode") or catalogs.GENERAL_PRODUCT,
            "unit_code": issuer.fields.get("unitCode") or catalogs.PIECE,
            "exempt_zero": issuer.fields.get("zeroRate") == "EXENTO",
        }
        series, number = lease.numbering.series, lease.number
        content: bytes = await self._tools.workshop.run(
            "fiscal.mx.signing:sealed", document, fields, dict(issuer.secrets), series, number
        )
        return Prepared(lease.numbering.document_type, series, number, content, sha256(content).hexdigest())

    async def issue(self, issuer: IssuerProfile, ref: FiscalRef, *, idempotency_key: str) -> Outcome:
        unavailable = AuthorityUnavailable()
        for pac in self._may_have(issuer, ref):
            try:
                answer = await pac.stamp(ref.prepared.payload, ref.prepared.payload_sha256)
            except OutcomeUnknown:
                raise OutcomeUnknown(authority_ref=pac.name) from None
            except AuthorityUnavailable as error:
                unavailable = error
                continue
            if isinstance(answer, Refused):
                return Outcome(State.REJECTED, authority_ref=pac.name, messages=answer.messages)
            return await self._accepted(pac, ref, answer)
        raise unavailable

    async def status(self, issuer: IssuerProfile, ref: FiscalRef) -> Outcome:
        if ref.fiscal_id is not None:
            return await self._standing(issuer, ref, ref.fiscal_id)
        unavailable: AuthorityUnavailable | None = None
        for pac in self._may_have(issuer, ref):
            try:
                found = await pac.stamped(ref.prepared.payload, ref.prepared.payload_sha256)
            except AuthorityUnavailable as error:
                unavailable = error
                continue
            if found is not None:
                return await self._accepted(pac, ref, found)
        # Whoever did not answer may be the one that has it.
        if unavailable is not None:
            raise unavailable
        return Outcome(State.PREPARED, authority_ref=ref.authority_ref)

    async def cancel(self, issuer: IssuerProfile, ref: FiscalRef, request: CancelRequest) -> Outcome:
        assert ref.fiscal_id is not None
        if (request.motive == "01") != (request.substitution is not None):
            problem = "El motivo 01, y ningún otro, lleva el folio fiscal que sustituye"
            return _canceling(State.CANCEL_REJECTED, ref, [Message("substitution", problem)])
        at = self._tools.clock.now().astimezone(ZoneInfo(issuer.time_zone))
        signed: bytes = await self._tools.workshop.run(
            "fiscal.mx.signing:cancelation",
            dict(issuer.secrets),
            ref.fiscal_id,
            request.motive,
            request.substitution,
            at,
        )
        answer = await self._asked_to_cancel(issuer, ref, signed)
        if answer.code not in _TAKEN | {_UNKNOWN_THERE}:
            return _canceling(State.CANCEL_REJECTED, ref, [Message(answer.code, answer.text)], answer.receipt)
        try:
            outcome = await self._standing(issuer, ref, ref.fiscal_id)
        except AuthorityUnavailable:
            return _canceling(State.CANCEL_PENDING, ref, (), answer.receipt)
        # In force as yet: the request is on its way.
        state = State.CANCEL_PENDING if outcome.state is State.ACCEPTED else outcome.state
        return _canceling(state, ref, outcome.messages, answer.receipt)

    def printed(self, issuer: IssuerProfile, document: FiscalDocument, prepared: Prepared, outcome: Outcome) -> Printed:
        assert outcome.signed_document is not None
        return printing.printed(document, outcome.signed_document)

    async def close(self) -> None:
        for pacs in self._pacs.values():
            for pac in pacs:
                await pac.close()
        for query in self._sat.values():
            await query.close()

    def _may_have(self, issuer: IssuerProfile, ref: FiscalRef) -> Sequence[Pac]:
        """All, or the one that has it or may have it."""
        pacs = self._pacs[issuer.environment]
        return [pac for pac in pacs if pac.name == ref.authority_ref] or pacs

    async def _accepted(self, pac: Pac, ref: FiscalRef, stamped: Stamped) -> Outcome:
        uuid: str | None = await self._tools.workshop.run(
            "fiscal.mx.reading:stamped_uuid", stamped.content, ref.prepared.payload
        )
        if uuid is None:
            # Something else than what was sent: no yes, and no no.
            raise OutcomeUnknown("stamp_of_another_document", authority_ref=pac.name)
        return Outcome(State.ACCEPTED, fiscal_id=uuid, authority_ref=pac.name, signed_document=stamped.content)

    async def _standing(self, issuer: IssuerProfile, ref: FiscalRef, uuid: str) -> Outcome:
        document: Printout = await self._tools.workshop.run("fiscal.mx.reading:printout", ref.prepared.payload)
        found = await self._sat[issuer.environment].standing(uuid, document)
        cancelation = found.cancelation.casefold()
        if found.state.casefold() == "cancelado":
            state = State.CANCELED
        elif "proceso" in cancelation:
            state = State.CANCEL_PENDING
        elif "rechazada" in cancelation:
            state = State.CANCEL_REJECTED
        else:
            # In force; or stamped moments ago and not there yet.
            state = State.ACCEPTED
        messages = [Message(found.state, found.cancelation)] if found.cancelation else []
        return _canceling(state, ref, messages)

    async def _asked_to_cancel(self, issuer: IssuerProfile, ref: FiscalRef, signed: bytes) -> CancelAnswer:
        unavailable = AuthorityUnavailable()
        own = self._may_have(issuer, ref)
        # Any PAC can hand it in, and twice does no harm.
        for pac in [*own, *(pac for pac in self._pacs[issuer.environment] if pac not in own)]:
            try:
                return await pac.cancel(signed)
            except AuthorityUnavailable as error:
                unavailable = error
        raise unavailable


def _canceling(state: State, ref: FiscalRef, messages: Sequence[Message] = (), receipt: bytes | None = None) -> Outcome:
    return Outcome(
        state,
        fiscal_id=ref.fiscal_id,
        authority_ref=ref.authority_ref,
        receipt=receipt,
        messages=tuple(messages),
        retry_after=(_LATER if messages else _SOON) if state is State.CANCEL_PENDING else None,
    )


def _missing(document: FiscalDocument) -> list[Message]:
    receiver = document.receiver
    if receiver is None or receiver.tax_id.upper() in (catalogs.PUBLIC_RFC, catalogs.FOREIGN_RFC):
        return []
    wanted = {
        "tax_id": (receiver.tax_id, "Falta el RFC del receptor"),
        "name": (receiver.name, "Falta el nombre del receptor, como está en su constancia de situación fiscal"),
        "regime": (receiver.regime, "Falta el régimen fiscal del receptor"),
        "postal_code": (receiver.address.postal_code, "Falta el código postal del domicilio fiscal del receptor"),
    }
    return [Message(f"receiver_{name}", text) for name, (value, text) in wanted.items() if not value]


def _pac(name: PacName, environment: Environment, settings: MexicoSettings, tools: Tools) -> Pac:
    test = environment is Environment.TEST
    peer = f"{name}_test" if test else name
    if name == "sw":
        transport = Transport(peer, settings.sw_test_url if test else settings.sw_url, settings)
        return SwSapien(transport, settings.sw_test_token if test else settings.sw_token, settings.sw_query_path)
    return Finkok(
        Transport(peer, settings.finkok_test_url if test else settings.finkok_url, settings),
        tools.workshop,
        settings.finkok_test_user if test else settings.finkok_user,
        settings.finkok_test_password if test else settings.finkok_password,
        settings.finkok_not_stamped,
    )
