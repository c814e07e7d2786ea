"""What is kept of an authority's answer, and of what a document was asked for: encrypted, bound to the row."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import date

from chassis.crypto import FieldCipher
from fiscal.document import DocumentKind, FiscalDocument, Period, Receiver
from fiscal.errors import Message
from fiscal.provider import FiscalRef, Outcome, Prepared, State
from pydantic import BaseModel, ConfigDict

from billing.invoices.models import Invoice


class Basis(BaseModel):
    """What was asked for. receiver: of an invoice. reason: of a cancellation. period: of a global invoice."""

    model_config = ConfigDict(frozen=True)

    receiver: Receiver | None = None
    reason: str = ""
    period: Period | None = None


class Said(BaseModel):
    """An authority's words: code and text."""

    model_config = ConfigDict(frozen=True)

    code: str
    text: str


class Answer(BaseModel):
    """signed, receipt: bytes in base64."""

    model_config = ConfigDict(frozen=True)

    messages: tuple[Said, ...] = ()
    signed: str | None = None
    receipt: str | None = None
    expires_on: date | None = None

    @classmethod
    def of(cls, outcome: Outcome, former: Answer | None) -> Answer:
        """What a later answer leaves out stays as it was."""
        return cls(
            messages=said(outcome.messages) or (former.messages if former else ()),
            signed=_encoded(outcome.signed_document) or (former.signed if former else None),
            receipt=_encoded(outcome.receipt) or (former.receipt if former else None),
            expires_on=outcome.expires_on or (former.expires_on if former else None),
        )

    @property
    def signed_document(self) -> bytes | None:
        return base64.b64decode(self.signed) if self.signed is not None else None

    @property
    def authority_receipt(self) -> bytes | None:
        return base64.b64decode(self.receipt) if self.receipt is not None else None


class Papers:
    """Seals and opens the encrypted columns of a fiscal document."""

    def __init__(self, cipher: FieldCipher) -> None:
        self._cipher = cipher

    def basis(self, invoice: Invoice) -> Basis:
        return Basis.model_validate_json(self._opened(invoice, "basis", invoice.basis)) if invoice.basis else Basis()

    def request(self, invoice: Invoice) -> FiscalDocument | None:
        if invoice.request is None:
            return None
        return FiscalDocument.model_validate_json(self._opened(invoice, "request", invoice.request))

    def answer(self, invoice: Invoice) -> Answer | None:
        if invoice.answer is None:
            return None
        return Answer.model_validate_json(self._opened(invoice, "answer", invoice.answer))

    def prepared(self, invoice: Invoice) -> Prepared | None:
        if invoice.prepared is None:
            return None
        assert invoice.number is not None
        return Prepared(
            document_type=invoice.document_type or "",
            series=(invoice.series or "").partition(":")[2],
            number=invoice.number,
            payload=self._opened(invoice, "prepared", invoice.prepared),
            payload_sha256=invoice.payload_sha256 or "",
            local_fiscal_id=invoice.local_fiscal_id,
        )

    def ref(self, invoice: Invoice) -> FiscalRef:
        prepared = self.prepared(invoice)
        assert prepared is not None
        fiscal_id = invoice.fiscal_id or invoice.local_fiscal_id
        return FiscalRef(DocumentKind(invoice.kind), prepared, fiscal_id, invoice.authority_ref)

    def outcome(self, invoice: Invoice) -> Outcome:
        """The acceptance, as it was told."""
        answer = self.answer(invoice) or Answer()
        return Outcome(
            State.ACCEPTED,
            fiscal_id=invoice.fiscal_id,
            authority_ref=invoice.authority_ref,
            signed_document=answer.signed_document,
            receipt=answer.authority_receipt,
            expires_on=answer.expires_on,
            messages=tuple(Message(item.code, item.text) for item in answer.messages),
        )

    def handed_out(self, invoice: Invoice) -> bytes | None:
        """The document that its buyer gets: the stamped one, else what was signed here."""
        answer, prepared = self.answer(invoice), self.prepared(invoice)
        stamped = answer.signed_document if answer else None
        return stamped if stamped is not None else prepared.payload if prepared else None

    def seal(self, place: str, value: BaseModel | bytes) -> str:
        """place: `Invoice.place(column)`."""
        return self._cipher.encrypt(value if isinstance(value, bytes) else value.model_dump_json(), context=place)

    def _opened(self, invoice: Invoice, column: str, value: str) -> bytes:
        return self._cipher.decrypt_bytes(value, context=invoice.place(column))


def said(messages: Iterable[Message]) -> tuple[Said, ...]:
    return tuple(Said(code=message.code, text=message.text) for message in messages)


def _encoded(content: bytes | None) -> str | None:
    return base64.b64encode(content).decode() if content is not None else None
