"""Handing out the PDF of a document, in whatever size and language it is asked for."""

from __future__ import annotations

from hashlib import sha256
from typing import Final
from uuid import UUID

from chassis.crypto import FieldCipher
from chassis.localization import Language
from chassis.objectstore import ObjectCorrupted, ObjectNotFound, ObjectStore, ObjectStoreUnavailable
from chassis.pdf.response import CONTENT_TYPE
from chassis.pdf.thread import Format
from chassis.telemetry.logs import get_logger

from billing.receipts.document import ReceiptDocument
from billing.receipts.renderer import Renderer

log = get_logger(__name__)

XML_CONTENT_TYPE: Final = "application/xml"

# Made when the document is issued; others are made when first asked for, and kept.
ISSUED_AS = ((Format.TICKET, Language.ES), (Format.A4, Language.ES))


class Receipts:
    """PDFs out of the object store, drawn again from the document's content where it has none."""

    def __init__(self, store: ObjectStore, renderer: Renderer, cipher: FieldCipher) -> None:
        self._store = store
        self._renderer = renderer
        self._cipher = cipher

    def seal(self, document: ReceiptDocument, place: str) -> str:
        """What goes into the database: encrypted, bound to its row."""
        return self._cipher.encrypt(document.model_dump_json(), context=place)

    def open(self, content: str, place: str) -> ReceiptDocument:
        return ReceiptDocument.model_validate_json(self._cipher.decrypt(content, context=place))

    async def issue(self, business_id: UUID, invoice_id: UUID, document: ReceiptDocument) -> None:
        """Draw and store the standard ones. Safe to repeat. Raises RenderingFailed, ObjectStoreUnavailable."""
        for layout, language in ISSUED_AS:
            pdf = await self._renderer.pdf(document, layout, language)
            await self._store.put(_key(business_id, invoice_id, layout, language), pdf, CONTENT_TYPE)

    async def keep_xml(self, business_id: UUID, invoice_id: UUID, content: bytes) -> None:
        """Safe to repeat. Raises ObjectStoreUnavailable."""
        await self._store.put(_xml_key(business_id, invoice_id), content, XML_CONTENT_TYPE)

    async def xml(self, business_id: UUID, invoice_id: UUID, checksum: str | None) -> bytes | None:
        """The file as it was stored, which it is if its SHA-256 is `checksum`; None where the store has none such."""
        try:
            content = await self._store.get(_xml_key(business_id, invoice_id))
        except (ObjectNotFound, ObjectCorrupted, ObjectStoreUnavailable) as error:
            log.error("receipts.xml_not_read", invoice_id=str(invoice_id), error=type(error).__name__)
            return None
        return content if sha256(content).hexdigest() == checksum else None

    async def pdf(
        self, business_id: UUID, invoice_id: UUID, document: ReceiptDocument, layout: Format, language: Language
    ) -> bytes:
        """Raises RenderingFailed. A store that is down costs time and nothing else."""
        key = _key(business_id, invoice_id, layout, language)
        try:
            return await self._store.get(key)
        except ObjectNotFound:
            pdf = await self._renderer.pdf(document, layout, language)
        except (ObjectCorrupted, ObjectStoreUnavailable) as error:
            log.error("receipts.store_failed", invoice_id=str(invoice_id), error=type(error).__name__)
            pdf = await self._renderer.pdf(document, layout, language)
        try:
            await self._store.put(key, pdf, CONTENT_TYPE)
        except ObjectStoreUnavailable:
            log.warning("receipts.not_kept", invoice_id=str(invoice_id))
        return pdf


def _xml_key(business_id: UUID, invoice_id: UUID) -> str:
    return f"invoices/{business_id}/{invoice_id}/document.xml"


def _key(business_id: UUID, invoice_id: UUID, layout: Format, language: Language) -> str:
    return f"receipts/{business_id}/{invoice_id}/{layout.value}-{language.value}.pdf"
