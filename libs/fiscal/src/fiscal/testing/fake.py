"""A country that exists in tests alone, in three shapes, with its authority in memory.

native    numbers of our own, answers at once, cancels by itself but later (as Mexico)
folios    numbers from stock, decides later, a credit note takes back (as Chile)
counter   the authority's last number and one, answers at once (as Argentina)
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from kernel import Country, FieldError, FixedClock, Money, new_id

from fiscal.document import (
    Address,
    DocumentKind,
    FiscalDocument,
    Line,
    Payment,
    PaymentForm,
    Period,
    Periodicity,
    Receiver,
    Reference,
    Tax,
)
from fiscal.errors import AuthorityUnavailable, BadProfile, Message, OutcomeUnknown, Rejected
from fiscal.profile import (
    CertificateInfo,
    CheckedProfile,
    Environment,
    FieldSpec,
    IssuerProfile,
    NumberStock,
    ProfileDraft,
)
from fiscal.provider import (
    CancelRequest,
    Capabilities,
    CodeKind,
    FiscalProvider,
    FiscalRef,
    Numbering,
    NumberLease,
    NumberSource,
    Outcome,
    Prepared,
    Printed,
    PrintedCode,
    RejectedNumber,
    State,
)

_ALL: Final = frozenset({DocumentKind.INVOICE, DocumentKind.TICKET, DocumentKind.CREDIT_NOTE})

SHAPES: Final[Mapping[str, Capabilities]] = {
    "native": Capabilities(
        kinds=_ALL | {DocumentKind.GLOBAL},
        automatic=DocumentKind.TICKET,
        numbers=NumberSource.FREE,
        rejected_number=RejectedNumber.KEEP,
        async_reply=False,
        native_cancel=True,
        offline_codes=False,
        motives={"01": "Con relación", "02": "Sin relación"},
    ),
    "folios": Capabilities(
        kinds=_ALL,
        automatic=DocumentKind.TICKET,
        numbers=NumberSource.STOCK,
        rejected_number=RejectedNumber.BURN,
        async_reply=True,
        native_cancel=False,
        offline_codes=True,
        motives={"1": "Anula"},
    ),
    "counter": Capabilities(
        kinds=_ALL,
        automatic=DocumentKind.TICKET,
        numbers=NumberSource.AUTHORITY,
        rejected_number=RejectedNumber.RETURN,
        async_reply=False,
        native_cancel=False,
        offline_codes=False,
        motives={"1": "Anula"},
        number_digits=8,
    ),
}


@dataclass
class FakeAuthority:
    """documents: by series and number, what was accepted or waits. received: every document that arrived, in order."""

    later: bool
    documents: dict[tuple[str, int], State] = field(default_factory=dict)
    received: list[tuple[str, int]] = field(default_factory=list)
    down: bool = False
    faults: list[str] = field(default_factory=list)

    def take(self, fault: str) -> bool:
        if fault in self.faults:
            self.faults.remove(fault)
            return True
        return False

    def last(self, series: str) -> int:
        return max((number for found, number in self.documents if found == series), default=0)

    def decide(self) -> None:
        """Of everything that waits."""
        after = {State.SUBMITTED: State.ACCEPTED, State.CANCEL_PENDING: State.CANCELED}
        for key, state in self.documents.items():
            self.documents[key] = after.get(state, state)


class FakeProvider(FiscalProvider):
    country = Country.MX
    profile_fields = (
        FieldSpec("certificate", "PEM", secret=True, is_file=True),
        FieldSpec("pin", "Anything", secret=True),
        FieldSpec("office", "The office's number", required=False),
    )

    def __init__(self, shape: str, country: Country = Country.MX, authority: FakeAuthority | None = None) -> None:
        self.capabilities = SHAPES[shape]
        self.country = country  # type: ignore[misc]
        self.authority = authority or FakeAuthority(later=self.capabilities.async_reply)

    def check_profile(self, draft: ProfileDraft, today: date) -> CheckedProfile:
        wrong = [
            FieldError(f"credentials.{spec.name}", "is required")
            for spec in self.profile_fields
            if spec.secret and spec.required and not draft.secrets.get(spec.name)
        ]
        if draft.secrets.get("certificate") == b"expired":
            wrong.append(FieldError("credentials.certificate", "expired on 2020-01-01"))
        if wrong:
            raise BadProfile(wrong)
        content = draft.secrets["certificate"]
        shown = CertificateInfo(
            name="certificate",
            subject="CN=Prueba",
            serial_number="1",
            fingerprint=sha256(content).hexdigest(),
            not_before=datetime(2025, 1, 1, tzinfo=UTC),
            not_after=datetime(2026, 2, 1, tzinfo=UTC),
        )
        return CheckedProfile(draft.tax_id.upper(), dict(draft.fields), (shown,), tuple(self._stock(draft.stock)))

    def _stock(self, sent: Iterable[Mapping[str, str]]) -> Iterable[NumberStock]:
        for index, item in enumerate(sent):
            try:
                first, last = int(item["from"]), int(item["to"])
            except (KeyError, ValueError):
                raise BadProfile.field(f"numbering.{index}", "needs from and to") from None
            expires = date.fromisoformat(item["validTo"]) if item.get("validTo") else None
            yield NumberStock(
                item.get("series") or "T", first, last, item.get("authorization", ""), None, expires, b"key"
            )

    def numbering(self, issuer: IssuerProfile, document: FiscalDocument) -> Numbering:
        if document.receiver is not None and not document.receiver.tax_id:
            raise Rejected([Message("no_tax_id", "The receiver needs a tax id")])
        letter = {"INVOICE": "F", "TICKET": "T", "CREDIT_NOTE": "N", "GLOBAL": "G"}[document.kind.value]
        return Numbering(letter, letter, letter)

    async def last_number(self, issuer: IssuerProfile, numbering: Numbering) -> int:
        self._reach()
        return self.authority.last(numbering.series)

    async def prepare(self, issuer: IssuerProfile, document: FiscalDocument, lease: NumberLease) -> Prepared:
        await asyncio.sleep(0)
        body = {"number": lease.number, "issuer": issuer.tax_id, "document": document.model_dump(mode="json")}
        payload = json.dumps(body, sort_keys=True).encode()
        series = lease.numbering.series
        return Prepared(lease.numbering.document_type, series, lease.number, payload, sha256(payload).hexdigest())

    async def issue(self, issuer: IssuerProfile, ref: FiscalRef, *, idempotency_key: str) -> Outcome:
        self._reach()
        await asyncio.sleep(0)
        prepared = ref.prepared
        if self.authority.take("slow"):
            raise OutcomeUnknown
        if self.authority.take("reject"):
            return Outcome(State.REJECTED, messages=(Message("E1", "No se puede"),))
        key = prepared.series, prepared.number
        self.authority.received.append(key)
        self.authority.documents.setdefault(key, State.SUBMITTED if self.authority.later else State.ACCEPTED)
        if self.authority.take("timeout"):
            raise OutcomeUnknown
        return self._outcome(ref)

    async def status(self, issuer: IssuerProfile, ref: FiscalRef) -> Outcome:
        self._reach()
        return self._outcome(ref)

    async def cancel(self, issuer: IssuerProfile, ref: FiscalRef, request: CancelRequest) -> Outcome:
        self._reach()
        key = ref.prepared.series, ref.prepared.number
        if self.authority.take("cancel_rejected"):
            return replace(self._outcome(ref), state=State.CANCEL_REJECTED, messages=(Message("C2", "No procede"),))
        if self.authority.documents[key] is State.ACCEPTED:
            self.authority.documents[key] = State.CANCEL_PENDING
        if self.authority.take("timeout"):
            raise OutcomeUnknown
        return self._outcome(ref)

    def printed(self, issuer: IssuerProfile, document: FiscalDocument, prepared: Prepared, outcome: Outcome) -> Printed:
        code = PrintedCode(CodeKind.QR, f"https://fisco.example/{outcome.fiscal_id}")
        return Printed("FACTURA DE PRUEBA", facts=(("Folio fiscal", str(outcome.fiscal_id)),), code=code)

    async def close(self) -> None:
        pass

    def _reach(self) -> None:
        if self.authority.down:
            raise AuthorityUnavailable

    def _outcome(self, ref: FiscalRef) -> Outcome:
        prepared = ref.prepared
        state = self.authority.documents.get((prepared.series, prepared.number), State.PREPARED)
        if state is State.PREPARED:
            return Outcome(state)
        if state is State.SUBMITTED:
            return Outcome(state, authority_ref="track-1", retry_after=timedelta(seconds=30))
        return Outcome(
            state,
            fiscal_id=f"{prepared.series}{prepared.number}-{prepared.payload_sha256[:8]}",
            signed_document=b"<xml>" + prepared.payload + b"</xml>",
            retry_after=timedelta(seconds=60) if state is State.CANCEL_PENDING else None,
        )


class FakeWorld:
    """A FiscalWorld of one shape."""

    def __init__(self, shape: str) -> None:
        self.provider = FakeProvider(shape)
        self.authority = self.provider.authority
        self.clock = FixedClock()
        self.issuer = IssuerProfile(
            business_id=new_id(),
            tax_id="EKU9003173C9",
            legal_name="Escuela Kemper Urgate",
            trade_name="",
            regime="601",
            address=Address(postal_code="42501"),
            environment=Environment.TEST,
            time_zone="America/Mexico_City",
            secrets={"certificate": b"not to be seen", "pin": b"nor this one"},
        )

    def document(self, kind: DocumentKind) -> FiscalDocument:
        return sample(kind, at=self.clock.now())

    async def lease(self, document: FiscalDocument) -> NumberLease:
        numbering = self.provider.numbering(self.issuer, document)
        return NumberLease(numbering, self.authority.last(numbering.series) + 1)

    async def issued(self, ref: FiscalRef) -> int:
        return int((ref.prepared.series, ref.prepared.number) in self.authority.documents)

    async def decide(self, ref: FiscalRef) -> None:
        self.authority.decide()

    async def next_times_out_after_accepting(self) -> None:
        self.authority.faults.append("timeout")

    async def next_is_rejected(self) -> None:
        self.authority.faults.append("reject")

    async def next_is_slow(self) -> None:
        self.authority.faults.append("slow")

    async def down(self) -> None:
        self.authority.down = True

    async def up(self) -> None:
        self.authority.down = False


def sample(kind: DocumentKind, *, country: Country = Country.MX, at: datetime, **changes: Any) -> FiscalDocument:
    """Two of one product at the general rate, and one that is free of tax."""
    currency = country.currency
    gross, exempt = Money(17900, currency), Money(4500, currency)
    zero = Money.zero(currency)
    values: dict[str, Any] = {
        "id": new_id(),
        "kind": kind,
        "country": country,
        "currency": currency,
        "issued_at": at,
        "time_zone": country.time_zone,
        "receiver": Receiver(name="Ana López", tax_id="XOSE900101AB1") if kind is DocumentKind.INVOICE else None,
        "lines": (
            Line(
                description="Café de olla & canela 500 g",
                sku="CAFE-500",
                quantity=2,
                unit_price=Money(8950, currency),
                discount=zero,
                gross=gross,
                taxes=(Tax(rate=country.vat_rate, amount=gross.included_tax(country.vat_rate)),),
            ),
            Line(description="Libro", quantity=1, unit_price=exempt, discount=zero, gross=exempt),
        ),
        "payments": (Payment(form=PaymentForm.CASH, amount=gross + exempt),),
    }
    if kind is DocumentKind.CREDIT_NOTE:
        values["reference"] = Reference(
            kind=DocumentKind.TICKET, document_type="T", series="T", number=1, fiscal_id="T1-0", issued_on=at.date()
        )
    if kind is DocumentKind.GLOBAL:
        values["period"] = Period(first=at.date(), last=at.date(), periodicity=Periodicity.DAILY)
    return FiscalDocument(**values | changes)
