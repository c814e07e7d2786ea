"""Takes fiscal documents from step to step: number and bytes, submission, the authority's answer, the printed form.

A document is taken under a lease. Each step ends in a guarded update by whoever still holds it, so that whoever dies on
the way leaves it where it was, to be gone on with when the lease ends. The sale waits for none of this.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final
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
from fiscal.document import FiscalDocument
from fiscal.errors import (
    AuthorityUnavailable,
    BadProfile,
    CountryNotSupported,
    FiscalError,
    Message,
    OutcomeUnknown,
    Rejected,
    WorkshopFailed,
)
from fiscal.profile import IssuerProfile, NumberStock
from fiscal.provider import (
    CancelRequest,
    FiscalProvider,
    NumberLease,
    NumberSource,
    Outcome,
    Prepared,
    RejectedNumber,
    State,
)
from fiscal.registry import FiscalRegistry
from kernel import Clock, CobroError, Country, NotFound
from prometheus_client import Counter, Histogram
from sqlalchemy.ext.asyncio import AsyncSession

from billing.credits import repository as credits
from billing.credits.models import SaleRefund
from billing.credits.opening import open_credit_notes
from billing.global_invoices import repository as global_invoices
from billing.global_invoices.composing import Sold, of_sales
from billing.invoices import events
from billing.invoices.models import Invoice
from billing.invoices.status import InvoiceKind, InvoiceStatus
from billing.numbering import repository as numbering
from billing.profiles import repository as profiles
from billing.profiles.data import ProfileVault
from billing.profiles.series import series_key
from billing.receipts.link import ReceiptLinks
from billing.receipts.service import Receipts
from billing.transmission import composing, repository, states
from billing.transmission.answers import Answer, Basis, Papers, said
from billing.transmission.printing import printed_form

log = get_logger(__name__)

_OUTCOMES = Counter("cobro_fiscal_documents_total", "Steps of fiscal documents by outcome", ["country", "outcome"])
_SECONDS = Histogram(
    "cobro_fiscal_acceptance_seconds",
    "From the completed sale to the authority's acceptance",
    ["country"],
    buckets=(0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600, 86400),
)

# Well above what an authority may take to answer (at most 60 s, FiscalSettings), since a lease lost is a call repeated.
LEASE: Final = timedelta(seconds=90)
_AT_ONCE: Final = 4
_LONGEST_WAIT_SECONDS: Final = 300
_IN_QUEUE: Final = timedelta(seconds=30)
_SERIES_BUSY: Final = timedelta(seconds=1)
_ASK_AGAIN: Final = timedelta(seconds=5)
_OUR_OWN_TRIES: Final = 5
_CALL_TIMEOUT: Final = 3

Step = Callable[["_Hand"], Awaitable[Invoice | None]]


class NumbersExhausted(Exception):
    """Every range of the series is used up or has expired: the owner must add one."""


class _SeriesBusy(Exception):
    """Another document of the series is under way."""


# What a step may stop at, but for the lease that was lost.
_STOPPED = (
    CobroError,
    FiscalError,
    NumbersExhausted,
    ObjectStoreUnavailable,
    RenderingFailed,
    WorkshopFailed,
    _SeriesBusy,
)


@dataclass(slots=True)
class _Hand:
    """A document in hand, and whom it is issued by."""

    invoice: Invoice
    worker: UUID
    provider: FiscalProvider
    issuer: IssuerProfile


class Transmitter:
    """Several processes may run one each: a document is in the hands of one at a time."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        directory: Directory,
        sales: sales_pb2_grpc.SalesStub,
        receipts: Receipts,
        links: ReceiptLinks,
        fiscal: FiscalRegistry,
        vault: ProfileVault,
        papers: Papers,
    ) -> None:
        self._database = database
        self._clock = clock
        self._directory = directory
        self._sales = sales
        self._receipts = receipts
        self._links = links
        self._fiscal = fiscal
        self._vault = vault
        self._papers = papers
        self._loop = ClaimLoop(self._take, self._try, at_once=_AT_ONCE)
        self._steps: Mapping[str | None, Step] = {
            None: self._prepare,
            states.PREPARED: self._submit,
            states.SUBMITTED: self._ask,
            states.UNKNOWN: self._ask,
            states.ACCEPTED: self._finish,
            states.CANCEL_REQUESTED: self._cancel,
            states.CANCEL_PENDING: self._ask_canceled,
        }

    def wake(self) -> None:
        """Something became due in this process: do not wait for the next look."""
        self._loop.wake()

    def job(self) -> Job:
        return self._loop.job("transmit-documents")

    async def transmit_due(self) -> int:
        """Take a handful of due documents as far as they go; returns how many."""
        return await self._loop.once()

    async def _take(self, worker: UUID, limit: int) -> Sequence[Invoice]:
        now = self._clock.now()
        async with self._database.transaction() as unit:
            return await repository.take_due(unit.session, now=now, until=now + LEASE, worker=worker, limit=limit)

    async def _try(self, invoice: Invoice, worker: UUID) -> None:
        with only(invoice.business_id):
            current: Invoice | None = invoice
            while current is not None:
                current = await self._one_step(current, worker)

    async def _one_step(self, invoice: Invoice, worker: UUID) -> Invoice | None:
        """The document after its next step; None when it has ended, waits, or is no longer ours."""
        hand = None
        try:
            hand = await self._hand(invoice, worker)
            return await self._steps[invoice.fiscal_state](hand)
        except _Lost:
            return None
        except _STOPPED as error:
            # As the step left it: what it has handed to the authority is not to be called off here.
            await self._stopped(invoice if hand is None else hand.invoice, worker, error)
            return None

    async def _stopped(self, invoice: Invoice, worker: UUID, error: Exception) -> None:
        """A step that did not come to its end: the document waits, or somebody has to mend something first."""
        match error:
            case Rejected():
                await self._fail(invoice, worker, error.code, error.messages)
            case NotFound() | CountryNotSupported() | BadProfile():
                await self._fail(invoice, worker, error.code)
            case _SeriesBusy():
                await self._wait(invoice, worker, _SERIES_BUSY, "series_busy")
            case NumbersExhausted():
                await self._postpone(invoice, worker, "numbers_exhausted")
            case AuthorityUnavailable():
                await self._contingency(invoice, worker, error)
            case RenderingFailed() | WorkshopFailed():
                log.error("fiscal.document_broke", invoice_id=str(invoice.id), error=str(error))
                # Of an accepted one only the printed form is missing: ours to mend, and no failure of the document.
                if invoice.attempts >= _OUR_OWN_TRIES and invoice.fiscal_state in (None, states.PREPARED):
                    await self._fail(invoice, worker, "document_broke")
                await self._postpone(invoice, worker, "document_broke")
            case CobroError() | FiscalError():
                await self._postpone(invoice, worker, error.code)
            case _:
                await self._postpone(invoice, worker, "object_store_unavailable")

    async def _hand(self, invoice: Invoice, worker: UUID) -> _Hand:
        async with self._database.read() as session:
            profile = await profiles.find(session, invoice.business_id)
        if profile is None:
            raise NotFound("The business has no fiscal profile", code="fiscal_profile_not_found")
        return _Hand(invoice, worker, self._fiscal.provider(Country(profile.country)), self._vault.issuer(profile))

    # Number and bytes

    async def _prepare(self, hand: _Hand) -> Invoice | None:
        document = await self._document(hand)
        if document is None:
            return None
        series = hand.provider.numbering(hand.issuer, document)
        key = series_key(hand.issuer.environment.value, series.series)
        source = series.source or hand.provider.capabilities.numbers
        today = document.local_time.date()
        known = None
        if source is NumberSource.AUTHORITY:
            await self._hold(hand, key)
            known = await hand.provider.last_number(hand.issuer, series)
        while True:
            async with self._database.transaction() as unit:
                number = await self._number(unit.session, hand.invoice, key, source, today, known)
                if number is not None:
                    stock = await self._stock(unit.session, hand.invoice.business_id, key, number, source)
                    lease = NumberLease(series, number, stock)
                    prepared = await hand.provider.prepare(hand.issuer, document, lease)
                    digits = hand.provider.capabilities.number_digits
                    kept = await repository.move(
                        unit.session,
                        hand.invoice.id,
                        hand.worker,
                        states.PREPARED,
                        self._prepared_values(hand.invoice, key, prepared, f"{series.printed}{number:0{digits}d}"),
                    )
                    if kept is None:
                        # The lease is lost: nobody has this number.
                        raise _Lost
                    return kept
            await self._refill(hand.invoice.business_id, key, source, today)

    async def _document(self, hand: _Hand) -> FiscalDocument | None:
        """What is to be documented, fixed at the first try. None when the lease was lost meanwhile."""
        invoice = hand.invoice
        document = self._papers.request(invoice)
        if document is not None:
            return document
        document = await self._composed(hand)
        async with self._database.transaction() as unit:
            sealed = self._papers.seal(invoice.place("request"), document)
            kept = await repository.keep(unit.session, invoice.id, hand.worker, {"request": sealed})
        return document if kept is not None else None

    async def _composed(self, hand: _Hand) -> FiscalDocument:
        invoice, now = hand.invoice, self._clock.now()
        basis = self._papers.basis(invoice)
        if invoice.kind == InvoiceKind.GLOBAL:
            return await self._of_sales(hand, basis, now)
        sale = await self._sale(invoice)
        if invoice.kind != InvoiceKind.CREDIT_NOTE:
            return composing.of_sale(invoice, sale, hand.provider.country, basis.receiver, now)
        async with self._database.read() as session:
            assert invoice.origin_id is not None
            origin = await repository.find(session, invoice.origin_id)
            refund = None
            if invoice.refund_id is not None:
                refund = await session.get(SaleRefund, (invoice.business_id, invoice.refund_id))
        original = self._papers.request(origin) if origin is not None else None
        if origin is None or original is None:
            raise NotFound("The document to be taken back is not there", code="origin_not_found")
        if refund is None:
            return composing.of_void(invoice, origin, original, basis.reason, now)
        return composing.of_refund(invoice, origin, original, sale, refund.items, basis.reason, now)

    async def _of_sales(self, hand: _Hand, basis: Basis, now: datetime) -> FiscalDocument:
        assert basis.period is not None
        async with self._database.read() as session:
            found = await global_invoices.sales_of(session, hand.invoice.id)
        sales = [
            Sold(self._receipts.open(receipt.content, receipt.content_place), refunded)
            for receipt, refunded in found
            if receipt.content is not None
        ]
        return of_sales(hand.invoice, sales, hand.provider.country, basis.period, now)

    async def _hold(self, hand: _Hand, key: str) -> None:
        async with self._database.transaction() as unit:
            if not await numbering.hold(unit.session, hand.invoice.business_id, key, hand.invoice.id):
                raise _SeriesBusy
            await repository.keep(unit.session, hand.invoice.id, hand.worker, {"series": key})

    async def _number(
        self, session: AsyncSession, invoice: Invoice, key: str, source: NumberSource, today: Any, known: int | None
    ) -> int | None:
        """The number this document keeps of an earlier try, else its own from now on. None where none is given out."""
        if invoice.number is not None and invoice.series == key:
            return invoice.number
        if source is NumberSource.AUTHORITY:
            assert known is not None
            return known + 1
        stock_day = today if source is NumberSource.STOCK else None
        return await numbering.take(session, invoice.business_id, key, today=stock_day)

    async def _refill(self, business_id: UUID, key: str, source: NumberSource, today: Any) -> None:
        async with self._database.transaction() as unit:
            if source is NumberSource.FREE:
                await numbering.refill(unit.session, business_id, key)
            elif not await numbering.refill_from_ranges(unit.session, business_id, key, today):
                raise NumbersExhausted

    async def _stock(
        self, session: AsyncSession, business_id: UUID, key: str, number: int, source: NumberSource
    ) -> NumberStock | None:
        if source is not NumberSource.STOCK:
            return None
        row = await numbering.range_of(session, business_id, key, number)
        if row is None:
            raise NumbersExhausted
        return NumberStock(
            series=key.partition(":")[2],
            first=row.first,
            last=row.last,
            authorization=row.authority_authorization,
            valid_from=row.valid_from,
            expires_on=row.expires_on,
            content=self._vault.open(row.content, row.content_place),
        )

    def _prepared_values(self, invoice: Invoice, key: str, prepared: Prepared, printed: str) -> dict[str, Any]:
        return {
            "series": key,
            "number": prepared.number,
            "printed_number": printed,
            "document_type": prepared.document_type,
            "prepared": self._papers.seal(invoice.place("prepared"), prepared.payload),
            "payload_sha256": prepared.payload_sha256,
            "local_fiscal_id": prepared.local_fiscal_id,
        }

    # To the authority and back

    async def _submit(self, hand: _Hand) -> Invoice | None:
        invoice, now = hand.invoice, self._clock.now()
        async with self._database.transaction() as unit:
            if await repository.waits_behind(unit.session, invoice):
                waiting = {
                    "contingency_since": invoice.contingency_since or now,
                    "next_attempt_at": now + _IN_QUEUE,
                    "worker": None,
                    "attempts": 0,
                    "failure_reason": "authority_unavailable",
                }
                await repository.keep(unit.session, invoice.id, hand.worker, waiting)
                return None
            # Before it leaves: whoever finds it like this asks, and does not send.
            sent = await repository.move(unit.session, invoice.id, hand.worker, states.SUBMITTED, {})
        if sent is None:
            return None
        hand.invoice = sent
        try:
            outcome = await hand.provider.issue(hand.issuer, self._papers.ref(sent), idempotency_key=str(sent.id))
        except AuthorityUnavailable as error:
            async with self._database.transaction() as unit:
                back = await repository.move(unit.session, sent.id, hand.worker, states.PREPARED, {})
            if back is not None:
                await self._contingency(back, hand.worker, error)
            return None
        except OutcomeUnknown as error:
            return await self._unknown(hand, error.authority_ref)
        return await self._record(hand, outcome)

    async def _ask(self, hand: _Hand) -> Invoice | None:
        outcome = await hand.provider.status(hand.issuer, self._papers.ref(hand.invoice))
        return await self._record(hand, outcome)

    async def _unknown(self, hand: _Hand, authority_ref: str | None = None) -> Invoice | None:
        values = {
            "authority_ref": authority_ref or hand.invoice.authority_ref,
            "next_attempt_at": self._clock.now() + _ASK_AGAIN,
            "worker": None,
            "failure_reason": "outcome_unknown",
        }
        async with self._database.transaction() as unit:
            await repository.move(unit.session, hand.invoice.id, hand.worker, states.UNKNOWN, values)
        self._count(hand, "unknown")
        log.warning("fiscal.outcome_unknown", invoice_id=str(hand.invoice.id))
        return None

    async def _record(self, hand: _Hand, outcome: Outcome) -> Invoice | None:
        match outcome.state:
            case State.ACCEPTED | State.ACCEPTED_WITH_NOTES:
                return await self._accepted(hand, outcome)
            case State.REJECTED:
                return await self._rejected(hand, outcome)
            case State.PREPARED:
                # It never arrived there.
                async with self._database.transaction() as unit:
                    return await repository.move(unit.session, hand.invoice.id, hand.worker, states.PREPARED, {})
            case State.SUBMITTED:
                return await self._later(hand, outcome)
            case _:
                return await self._unknown(hand)

    async def _later(self, hand: _Hand, outcome: Outcome) -> Invoice | None:
        invoice = hand.invoice
        values = {
            "authority_ref": outcome.authority_ref or invoice.authority_ref,
            "next_attempt_at": self._clock.now() + (outcome.retry_after or _ASK_AGAIN),
            "worker": None,
            "contingency_since": None,
            "failure_reason": None,
        }
        async with self._database.transaction() as unit:
            await repository.move(unit.session, invoice.id, hand.worker, states.SUBMITTED, values)
            if invoice.contingency_since is not None:
                await repository.next_in_queue(unit.session, invoice, self._clock.now())
        self._count(hand, "submitted")
        self.wake()
        return None

    async def _accepted(self, hand: _Hand, outcome: Outcome) -> Invoice | None:
        invoice = hand.invoice
        answer = Answer.of(outcome, self._papers.answer(invoice))
        values = {
            "fiscal_id": outcome.fiscal_id or invoice.local_fiscal_id,
            "authority_ref": outcome.authority_ref or invoice.authority_ref,
            "answer": self._papers.seal(invoice.place("answer"), answer),
            "contingency_since": None,
            "failure_reason": None,
        }
        async with self._database.transaction() as unit:
            accepted = await repository.move(unit.session, invoice.id, hand.worker, states.ACCEPTED, values)
            if accepted is not None:
                await self._free_series(unit.session, invoice)
        if accepted is not None:
            self._count(hand, "accepted")
            seconds = (self._clock.now() - invoice.sold_at).total_seconds()
            _SECONDS.labels(hand.provider.country.value).observe(max(seconds, 0))
            self.wake()
        return accepted

    async def _rejected(self, hand: _Hand, outcome: Outcome) -> Invoice | None:
        invoice = hand.invoice
        answer = Answer.of(outcome, None)
        values: dict[str, Any] = {
            "answer": self._papers.seal(invoice.place("answer"), answer),
            "contingency_since": None,
        }
        capabilities = hand.provider.capabilities
        async with self._database.transaction() as unit:
            moved = await repository.move(unit.session, invoice.id, hand.worker, states.REJECTED, values)
            if moved is None:
                return None
            if capabilities.rejected_number is not RejectedNumber.KEEP:
                if capabilities.rejected_number is RejectedNumber.RETURN and capabilities.numbers is not (
                    NumberSource.AUTHORITY
                ):
                    assert invoice.series is not None
                    assert invoice.number is not None
                    await numbering.give_back(unit.session, invoice.business_id, invoice.series, invoice.number)
                values = {"number": None, "prepared": None, "local_fiscal_id": None}
            else:
                values = {}
            failed = await repository.settle(
                unit.session, invoice.id, hand.worker, InvoiceStatus.FAILED, self._failure("document_rejected") | values
            )
            await self._free_series(unit.session, invoice)
            if failed is not None and failed.for_sale_id is not None:
                unit.publish(events.failed(failed))
        self._count(hand, "rejected")
        log.warning("fiscal.rejected", invoice_id=str(invoice.id), codes=[item.code for item in answer.messages])
        self.wake()
        return None

    async def _free_series(self, session: AsyncSession, invoice: Invoice) -> None:
        """Whatever waits for this document may go on."""
        if invoice.series is not None:
            await numbering.release(session, invoice.business_id, invoice.series, invoice.id)
            if invoice.contingency_since is not None:
                await repository.next_in_queue(session, invoice, self._clock.now())

    # What follows acceptance

    async def _finish(self, hand: _Hand) -> Invoice | None:
        """The printed form and the file, then ISSUED together with its event and what it brings about."""
        invoice = hand.invoice
        document, prepared = self._papers.request(invoice), self._papers.prepared(invoice)
        content = self._papers.handed_out(invoice)
        assert document is not None
        assert prepared is not None
        assert content is not None
        printed = hand.provider.printed(hand.issuer, document, prepared, self._papers.outcome(invoice))
        business = await self._directory.profile(invoice.business_id)
        form = printed_form(
            invoice,
            document,
            hand.issuer,
            business,
            printed,
            branch=await self._branch_name(invoice),
            payment_method=(await self._sale(invoice)).payment_method if invoice.for_sale_id is not None else "",
            link=self._links.url(invoice.for_sale_id or invoice.id),
        )
        await self._receipts.issue(invoice.business_id, invoice.id, form)
        await self._receipts.keep_xml(invoice.business_id, invoice.id, content)
        now = self._clock.now()
        values = {
            "content": self._receipts.seal(form, invoice.content_place),
            "xml_sha256": sha256(content).hexdigest(),
            "issued_at": now,
            "failure_reason": None,
        }
        async with self._database.transaction() as unit:
            if invoice.for_sale_id is not None:
                await credits.lock_sale(unit.session, invoice.for_sale_id)
            issued = await repository.settle(unit.session, invoice.id, hand.worker, InvoiceStatus.ISSUED, values)
            if issued is None:
                return None
            if issued.for_sale_id is not None:
                unit.publish(events.issued(issued))
            if issued.kind == InvoiceKind.CREDIT_NOTE:
                if issued.refund_id is None:
                    canceled = await repository.cancel_origin(unit.session, issued, now, states.CANCELED)
                    if canceled is not None:
                        unit.publish(events.canceled(canceled))
            else:
                await open_credit_notes(unit.session, issued, now)
        self._count(hand, "issued")
        self.wake()
        return None

    async def _cancel(self, hand: _Hand) -> Invoice | None:
        invoice = hand.invoice
        request = CancelRequest(invoice.cancel_motive or "", invoice.cancel_substitution)
        try:
            outcome = await hand.provider.cancel(hand.issuer, self._papers.ref(invoice), request)
        except OutcomeUnknown:
            # Cancelling twice is harmless: pending until the authority tells.
            outcome = Outcome(State.CANCEL_PENDING, retry_after=_ASK_AGAIN)
        return await self._cancellation(hand, outcome)

    async def _ask_canceled(self, hand: _Hand) -> Invoice | None:
        outcome = await hand.provider.status(hand.issuer, self._papers.ref(hand.invoice))
        if outcome.state in (State.ACCEPTED, State.ACCEPTED_WITH_NOTES):
            # The request never arrived there.
            return await self._cancel(hand)
        return await self._cancellation(hand, outcome)

    async def _cancellation(self, hand: _Hand, outcome: Outcome) -> Invoice | None:
        invoice, now = hand.invoice, self._clock.now()
        answer = Answer.of(outcome, self._papers.answer(invoice))
        sealed = {"answer": self._papers.seal(invoice.place("answer"), answer)}
        async with self._database.transaction() as unit:
            match outcome.state:
                case State.CANCELED:
                    target, status = states.CANCELED, InvoiceStatus.CANCELED
                    sealed |= {"canceled_at": now}  # type: ignore[dict-item]
                case State.CANCEL_REJECTED:
                    target, status = states.CANCEL_REJECTED, InvoiceStatus.ISSUED
                    sealed |= {"failure_reason": "cancel_rejected"}
                case _:
                    values = {
                        "fiscal_state": states.CANCEL_PENDING,
                        "next_attempt_at": now + (outcome.retry_after or timedelta(hours=1)),
                        "worker": None,
                    }
                    await repository.keep(unit.session, invoice.id, hand.worker, values)
                    return None
            settled = await repository.settle(
                unit.session, invoice.id, hand.worker, status, {"fiscal_state": target, **sealed}
            )
            if settled is not None and status is InvoiceStatus.CANCELED and settled.for_sale_id is not None:
                unit.publish(events.canceled(settled))
        self._count(hand, target)
        return None

    # What does not go on

    async def _contingency(self, invoice: Invoice, worker: UUID, error: AuthorityUnavailable) -> None:
        """Nobody answers there. What is prepared waits in the order of its numbers; what is not needs no order."""
        now = self._clock.now()
        wait = max(timedelta(seconds=error.retry_after or 0), self._back_off(invoice))
        values: dict[str, Any] = {"next_attempt_at": now + wait, "worker": None, "failure_reason": error.code}
        if invoice.fiscal_state == states.PREPARED:
            values["contingency_since"] = invoice.contingency_since or now
        async with self._database.transaction() as unit:
            await repository.keep(unit.session, invoice.id, worker, values)
        _OUTCOMES.labels(_country(invoice), "contingency").inc()
        log.warning("fiscal.contingency", invoice_id=str(invoice.id), reason=error.code, seconds=wait.total_seconds())

    async def _postpone(self, invoice: Invoice, worker: UUID, reason: str) -> None:
        await self._wait(invoice, worker, self._back_off(invoice), reason)
        _OUTCOMES.labels(_country(invoice), "postponed").inc()
        log.warning("fiscal.postponed", invoice_id=str(invoice.id), reason=reason)

    async def _wait(self, invoice: Invoice, worker: UUID, wait: timedelta, reason: str) -> None:
        values = {"next_attempt_at": self._clock.now() + wait, "worker": None, "failure_reason": reason}
        async with self._database.transaction() as unit:
            await repository.keep(unit.session, invoice.id, worker, values)

    async def _fail(self, invoice: Invoice, worker: UUID, reason: str, messages: Sequence[Message] = ()) -> None:
        """Before anything was sent: a person has to mend something first."""
        if invoice.fiscal_state not in (None, states.PREPARED):
            # The authority has it, or may have: that is not ours to call off.
            await self._postpone(invoice, worker, reason)
            return
        values = self._failure(reason)
        if messages:
            answer = Answer(messages=said(messages))
            values["answer"] = self._papers.seal(invoice.place("answer"), answer)
        async with self._database.transaction() as unit:
            failed = await repository.settle(unit.session, invoice.id, worker, InvoiceStatus.FAILED, values)
            if failed is None:
                return
            await self._free_series(unit.session, failed)
            if failed.for_sale_id is not None:
                unit.publish(events.failed(failed))
        log.error("fiscal.failed", invoice_id=str(invoice.id), reason=reason)
        _OUTCOMES.labels(_country(invoice), "failed").inc()

    def _failure(self, reason: str) -> dict[str, Any]:
        return {"failed_at": self._clock.now(), "failure_reason": reason}

    def _back_off(self, invoice: Invoice) -> timedelta:
        return timedelta(seconds=min(2 ** min(max(invoice.attempts - 1, 0), 10), _LONGEST_WAIT_SECONDS))

    def _count(self, hand: _Hand, outcome: str) -> None:
        _OUTCOMES.labels(hand.provider.country.value, outcome).inc()

    async def _sale(self, invoice: Invoice) -> sales_pb2.Sale:
        request = sales_pb2.GetSaleRequest(business_id=str(invoice.business_id), sale_id=str(invoice.for_sale_id))
        sale: sales_pb2.Sale = await call("sales", self._sales.GetSale(request, timeout=_CALL_TIMEOUT))
        return sale

    async def _branch_name(self, invoice: Invoice) -> str:
        try:
            return (await self._directory.branch(invoice.business_id, invoice.branch_id)).name
        except NotFound:
            return ""  # closed since the sale, whose document does not depend on it


class _Lost(Exception):
    """Somebody else has the document by now. The transaction rolls back, and the number lies there as before."""


def _country(invoice: Invoice) -> str:
    """A currency is a country's here."""
    return invoice.currency[:2]
