"""From a numbered document to a PDF in the store, surviving the death of either end at any line.

Taken under a lease, gathered over gRPC outside any transaction, fixed in the row, drawn, stored, and only then issued
together with its event. Whoever dies on the way leaves a document that is due again when the lease ends; drawing it
again gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from chassis.database import Database
from chassis.directory import Directory
from chassis.objectstore import ObjectStoreUnavailable
from chassis.pdf.thread import RenderingFailed
from chassis.rpc.client import call
from chassis.runtime.claims import ClaimLoop
from chassis.runtime.jobs import Job
from chassis.telemetry.logs import get_logger
from chassis.tenancy import only
from contracts.sales.v1 import sales_pb2, sales_pb2_grpc
from kernel import Clock, CobroError, NotFound
from prometheus_client import Counter, Histogram

from billing.invoices import events, repository
from billing.invoices.content import compose
from billing.invoices.models import Invoice
from billing.invoices.status import InvoiceStatus
from billing.receipts.document import ReceiptDocument
from billing.receipts.link import ReceiptLinks
from billing.receipts.service import Receipts

log = get_logger(__name__)

_OUTCOMES = Counter("cobro_billing_documents_total", "Tries to issue a document by outcome", ["outcome"])
_SECONDS = Histogram(
    "cobro_billing_issue_seconds",
    "From the completed sale to its issued document",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600),
)

# Well above what a try takes, well below what a shop would wait for after a crash.
LEASE: Final = timedelta(seconds=20)
_AT_ONCE: Final = 4
_LONGEST_WAIT_SECONDS: Final = 60
# Drawing depends on nothing outside: what fails this often fails until our code changes.
_DRAWING_TRIES: Final = 5
_CALL_TIMEOUT: Final = 3


class Issuer:
    """Issues what is due. Several processes may run one each: a document is in the hands of one at a time."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        directory: Directory,
        sales: sales_pb2_grpc.SalesStub,
        receipts: Receipts,
        links: ReceiptLinks,
    ) -> None:
        self._database = database
        self._clock = clock
        self._directory = directory
        self._sales = sales
        self._receipts = receipts
        self._links = links
        self._loop = ClaimLoop(self._take, self._try, at_once=_AT_ONCE)

    def wake(self) -> None:
        """Something became due in this process: do not wait for the next look."""
        self._loop.wake()

    def job(self) -> Job:
        return self._loop.job("issue-documents")

    async def issue_due(self) -> int:
        """Try a handful of due documents; returns how many."""
        return await self._loop.once()

    async def _take(self, worker: UUID, limit: int) -> Sequence[Invoice]:
        now = self._clock.now()
        async with self._database.transaction() as unit:
            return await repository.take_due(unit.session, now=now, until=now + LEASE, worker=worker, limit=limit)

    async def _try(self, invoice: Invoice, worker: UUID) -> None:
        with only(invoice.business_id):
            await self._try_within(invoice, worker)

    async def _try_within(self, invoice: Invoice, worker: UUID) -> None:
        try:
            document = await self._document(invoice, worker)
            if document is None:
                return
            await self._receipts.issue(invoice.business_id, invoice.id, document)
        except NotFound as error:
            # Its owner says that it is not there: neither a sale nor a business comes back.
            await self._fail(invoice, worker, error.code)
        except RenderingFailed as error:
            log.error("invoice.rendering_failed", invoice_id=str(invoice.id), exc_info=error)
            if invoice.attempts >= _DRAWING_TRIES:
                await self._fail(invoice, worker, "rendering_failed")
            else:
                await self._postpone(invoice, worker, "rendering_failed")
        except CobroError as error:
            await self._postpone(invoice, worker, error.code)
        except ObjectStoreUnavailable:
            await self._postpone(invoice, worker, "object_store_unavailable")
        else:
            await self._issue(invoice, worker)

    async def _document(self, invoice: Invoice, worker: UUID) -> ReceiptDocument | None:
        """What is printed, fixed at the first try. None when the lease was lost meanwhile."""
        if invoice.content is not None:
            return self._receipts.open(invoice.content, invoice.content_place)
        assert invoice.sale_id is not None
        request = sales_pb2.GetSaleRequest(business_id=str(invoice.business_id), sale_id=str(invoice.sale_id))
        sale = await call("sales", self._sales.GetSale(request, timeout=_CALL_TIMEOUT))
        business = await self._directory.profile(invoice.business_id)
        document = compose(
            invoice, sale, business, branch=await self._branch_name(invoice), link=self._links.url(invoice.sale_id)
        )
        async with self._database.transaction() as unit:
            sealed = self._receipts.seal(document, invoice.content_place)
            kept = await repository.keep_content(unit.session, invoice.id, worker, sealed)
        return document if kept else None

    async def _branch_name(self, invoice: Invoice) -> str:
        try:
            return (await self._directory.branch(invoice.business_id, invoice.branch_id)).name
        except NotFound:
            return ""  # closed since the sale, whose receipt does not depend on it

    async def _issue(self, invoice: Invoice, worker: UUID) -> None:
        now = self._clock.now()
        async with self._database.transaction() as unit:
            issued = await repository.settle(
                unit.session,
                invoice.id,
                worker,
                InvoiceStatus.ISSUED,
                {"issued_at": now, "failure_reason": None},
            )
            if issued is None:
                return
            unit.publish(events.issued(issued))
        _OUTCOMES.labels("issued").inc()
        _SECONDS.observe(max((now - invoice.sold_at).total_seconds(), 0))

    async def _fail(self, invoice: Invoice, worker: UUID, reason: str) -> None:
        async with self._database.transaction() as unit:
            failed = await repository.settle(
                unit.session,
                invoice.id,
                worker,
                InvoiceStatus.FAILED,
                {"failed_at": self._clock.now(), "failure_reason": reason},
            )
            if failed is None:
                return
            unit.publish(events.failed(failed))
        log.error("invoice.failed", invoice_id=str(invoice.id), reason=reason)
        _OUTCOMES.labels("failed").inc()

    async def _postpone(self, invoice: Invoice, worker: UUID, reason: str) -> None:
        wait = min(2 ** min(invoice.attempts - 1, 10), _LONGEST_WAIT_SECONDS)
        until = self._clock.now() + timedelta(seconds=wait)
        async with self._database.transaction() as unit:
            await repository.postpone(unit.session, invoice.id, worker, until=until, reason=reason)
        log.warning("invoice.postponed", invoice_id=str(invoice.id), reason=reason, seconds=wait)
        _OUTCOMES.labels("postponed").inc()
