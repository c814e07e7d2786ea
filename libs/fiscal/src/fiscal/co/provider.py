"""Colombia's provider: documents of the DIAN, with its validation before they count."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256
from typing import Final, NoReturn

from kernel import Country

from fiscal.co import codes, profile
from fiscal.co.client import DianClient, File
from fiscal.co.identity import read_identity, read_nit
from fiscal.co.order import Answer, Built, Issuer, Order, Policy, Signer, Software
from fiscal.co.printing import printed
from fiscal.co.settings import ColombiaSettings
from fiscal.document import DocumentKind, FiscalDocument
from fiscal.errors import AuthorityUnavailable, BadProfile, Message, OutcomeUnknown, Rejected
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

# "Regla: FAD06, Rechazo: Valor del CUFE no está calculado correctamente"
_RULE: Final = re.compile(r"Regla:\s*(?P<code>[^,\s]+)\s*,\s*(?P<kind>[^:]+):\s*(?P<text>.*)", re.DOTALL)
_PROCESSED_BEFORE: Final = "90"
_VALIDATED: Final = "00"
_NO_SUCH: Final = "66"
_UNDER_WAY: Final = "98"
_REFUSED: Final = "99"


class ColombiaProvider(FiscalProvider):
    country = Country.CO
    capabilities = Capabilities(
        kinds=frozenset({DocumentKind.INVOICE, DocumentKind.TICKET, DocumentKind.CREDIT_NOTE}),
        automatic=DocumentKind.TICKET,
        numbers=NumberSource.STOCK,
        rejected_number=RejectedNumber.KEEP,
        async_reply=True,
        native_cancel=False,
        offline_codes=False,
        motives={"2": "Anulación del documento", "1": "Devolución parcial"},
    )
    profile_fields = profile.PROFILE_FIELDS

    def __init__(self, tools: Tools, settings: ColombiaSettings) -> None:
        self._workshop = tools.workshop
        self._settings = settings
        self._client = DianClient(tools, settings)
        self._wait = timedelta(seconds=settings.ask_again_seconds)

    def check_profile(self, draft: ProfileDraft, today: date) -> CheckedProfile:
        return profile.check_profile(draft, today)

    def numbering(self, issuer: IssuerProfile, document: FiscalDocument) -> Numbering:
        receiver = document.receiver
        if receiver is not None and read_identity(receiver.tax_id, receiver.tax_id_kind) is None:
            raise Rejected([Message("tax_id", "La identificación del comprador no es válida")])
        if receiver is not None and receiver.regime and not set(receiver.regime.split(";")) <= codes.RESPONSIBILITIES:
            raise Rejected([Message("regime", "Las responsabilidades fiscales del comprador no son de la DIAN")])
        kind = codes.type_of(document.kind, document.reference.kind if document.reference else None)
        # Notes are numbered by the business itself; only invoices and POS documents need the DIAN's authorisation.
        source = NumberSource.FREE if document.kind is DocumentKind.CREDIT_NOTE else None
        prefix = profile.prefix_of(issuer.fields, kind)
        return Numbering(kind, profile.series_of(issuer.fields, kind), prefix, source)

    async def last_number(self, issuer: IssuerProfile, numbering: Numbering) -> int:
        raise NotImplementedError("Numbers are given out by the DIAN in ranges")

    async def prepare(self, issuer: IssuerProfile, document: FiscalDocument, lease: NumberLease) -> Prepared:
        numbering = lease.numbering
        order = Order(
            document=document,
            document_type=numbering.document_type,
            prefix=numbering.printed,
            number=lease.number,
            stock=lease.stock,
            issuer=_issuer(issuer),
            software=Software(
                issuer.fields["softwareId"],
                issuer.secrets["softwarePin"].decode(),
                self._settings.maker_name,
                self._settings.maker_company,
                self._settings.maker_software,
            ),
            policy=Policy(self._settings.policy_url, self._settings.policy_sha256),
            environment="1" if issuer.environment is Environment.PRODUCTION else "2",
            register=issuer.fields.get("cashRegister") or "1",
            signer=_signer(issuer),
        )
        built: Built = await self._workshop.run("fiscal.co.document:build", order)
        return Prepared(
            document_type=numbering.document_type,
            series=numbering.series,
            number=lease.number,
            payload=built.payload,
            payload_sha256=sha256(built.payload).hexdigest(),
            local_fiscal_id=built.key,
        )

    async def issue(self, issuer: IssuerProfile, ref: FiscalRef, *, idempotency_key: str) -> Outcome:
        test_set = issuer.fields.get("testSetId", "") if issuer.environment is Environment.TEST else ""
        file = File(ref.prepared.payload, _file_name(issuer, ref.prepared))
        answer = await self._client.send(issuer.environment, _signer(issuer), file, test_set)
        if answer.track_id:
            return Outcome(State.SUBMITTED, authority_ref=answer.track_id, retry_after=self._wait)
        if any(message.code == _PROCESSED_BEFORE for message in _messages(answer)):
            return await self._already_there(issuer, ref, answer)
        outcome = self._outcome(ref, answer)
        if outcome.state in (State.PREPARED, State.UNKNOWN):
            # Neither yes nor no to what was just sent.
            raise OutcomeUnknown
        return outcome

    async def status(self, issuer: IssuerProfile, ref: FiscalRef) -> Outcome:
        signer = _signer(issuer)
        if ref.authority_ref:
            answer = await self._client.ask(issuer.environment, signer, "GetStatusZip", ref.authority_ref)
            if answer.code != _NO_SUCH:
                outcome = self._outcome(ref, answer)
                return replace(outcome, authority_ref=ref.authority_ref)
        return await self._known(issuer, ref)

    async def cancel(self, issuer: IssuerProfile, ref: FiscalRef, request: CancelRequest) -> NoReturn:
        raise NotImplementedError("A credit note takes a document back")

    def printed(self, issuer: IssuerProfile, document: FiscalDocument, prepared: Prepared, outcome: Outcome) -> Printed:
        return printed(issuer, document, prepared, outcome)

    async def close(self) -> None:
        await self._client.close()

    async def _known(self, issuer: IssuerProfile, ref: FiscalRef) -> Outcome:
        answer = await self._client.ask(issuer.environment, _signer(issuer), "GetStatus", _key(ref))
        return self._outcome(ref, answer)

    async def _already_there(self, issuer: IssuerProfile, ref: FiscalRef, refusal: Answer) -> Outcome:
        """Accepted as what it was if it is this very document, which its key says; else the number is another's."""
        try:
            known = await self._known(issuer, ref)
        except AuthorityUnavailable:
            raise OutcomeUnknown from None
        if known.state is State.PREPARED:
            return Outcome(State.REJECTED, messages=_messages(refusal))
        return known

    def _outcome(self, ref: FiscalRef, answer: Answer) -> Outcome:
        messages = _messages(answer)
        # What it says of another document is no answer.
        if answer.key and answer.key.lower() != _key(ref):
            return Outcome(State.UNKNOWN, retry_after=self._wait)
        if answer.valid and answer.code == _VALIDATED:
            state = State.ACCEPTED_WITH_NOTES if messages else State.ACCEPTED
            return Outcome(state, fiscal_id=_key(ref), receipt=answer.receipt, messages=messages)
        if answer.code == _NO_SUCH:
            return Outcome(State.PREPARED)
        if answer.code == _UNDER_WAY:
            return Outcome(State.SUBMITTED, retry_after=self._wait)
        if answer.code == _REFUSED:
            known = messages or (Message(_REFUSED, "Documento con errores en campos mandatorios"),)
            return Outcome(State.REJECTED, receipt=answer.receipt, messages=known)
        return Outcome(State.UNKNOWN, retry_after=self._wait)


def open_provider(tools: Tools) -> FiscalProvider:
    return ColombiaProvider(tools, ColombiaSettings())


def _key(ref: FiscalRef) -> str:
    assert ref.prepared.local_fiscal_id is not None
    return ref.prepared.local_fiscal_id


def _messages(answer: Answer) -> tuple[Message, ...]:
    found = []
    for rule in answer.rules:
        match = _RULE.match(rule)
        found.append(Message(match["code"], match["text"].strip()) if match else Message("DIAN", rule))
    return tuple(found)


def _signer(issuer: IssuerProfile) -> Signer:
    try:
        return Signer(issuer.secrets["certificate"], issuer.secrets["certificatePassword"])
    except KeyError:
        raise BadProfile.field("credentials.certificate", "is required") from None


def _issuer(issuer: IssuerProfile) -> Issuer:
    nit = read_nit(issuer.tax_id)
    if nit is None:
        raise BadProfile.field("taxId", "must be a NIT with its check digit")
    person = issuer.fields.get("personType")
    return Issuer(
        nit=nit,
        legal_name=issuer.legal_name,
        trade_name=issuer.trade_name,
        responsibilities=issuer.regime or codes.NO_RESPONSIBILITY,
        address=issuer.address,
        company=person == "1" if person else nit.is_company,
    )


def _file_name(issuer: IssuerProfile, prepared: Prepared) -> str:
    """Kind, NIT in ten digits, 000 for one's own software, year, and the number in eight hexadecimal digits (annex 1.9,
    6.5.7), without the ending."""
    nit = read_nit(issuer.tax_id)
    issued = re.search(rb"<cbc:IssueDate>\d\d(\d\d)-", prepared.payload)
    if nit is None or issued is None:
        raise Rejected([Message("document", "El documento no es de este emisor")])
    form = codes.FORMS[prepared.document_type]
    return f"{form.file}{nit.number:0>10}000{issued.group(1).decode()}{prepared.number % 16**8:08x}"
