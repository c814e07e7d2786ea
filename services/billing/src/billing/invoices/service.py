"""Use cases of documents."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from chassis.auth import BusinessRole, Membership, Permission, Principal
from chassis.bus.received import Received
from chassis.database import UnitOfWork
from chassis.http.pagination import PageParams, Slice
from chassis.localization import Language
from chassis.objectstore import ObjectStoreUnavailable
from chassis.pdf.thread import Format
from contracts.events.sales import SaleCompleted
from fiscal.document import DocumentKind, Receiver
from kernel import Country, NotFound, new_id
from sqlalchemy.ext.asyncio import AsyncSession

from billing.context import BillingContext
from billing.credits import repository as credits
from billing.credits.opening import open_void
from billing.invoices import repository
from billing.invoices.errors import (
    already_issued,
    global_credited,
    invoice_not_found,
    motive_unknown,
    not_cancelable,
    not_fiscal,
    not_ready,
    nothing_left,
    profile_missing,
    sale_already_invoiced,
    sale_not_found,
    xml_not_ready,
)
from billing.invoices.models import Invoice
from billing.invoices.repository import InvoiceFilter
from billing.invoices.status import InvoiceKind, InvoiceStatus
from billing.numbering.repository import lock_series
from billing.profiles import repository as profiles
from billing.transmission import repository as transmission
from billing.transmission.answers import Basis

# Receipts have one series per business; fiscal documents have those their authority gives them.
SERIES = "R"


async def open_invoice(ctx: BillingContext, received: Received[SaleCompleted]) -> None:
    """Number a completed sale's document. Once per sale, without gaps, whatever is delivered again or at once."""
    event = received.event

    async def work(unit: UnitOfWork) -> None:
        if not await unit.accept(received):
            return
        values = {
            "id": new_id(),
            "business_id": event.business_id,
            "branch_id": event.branch_id,
            "sale_id": event.aggregate_id,
            "for_sale_id": event.aggregate_id,
            "currency": event.total.currency.value,
            "subtotal": event.subtotal.money.decimal,
            "discount": event.discount.money.decimal,
            "tax": event.tax.money.decimal,
            "total": event.total.money.decimal,
            "time_zone": event.time_zone,
            "sold_at": event.completed_at,
            "created_at": ctx.clock.now(),
            "next_attempt_at": ctx.clock.now(),
        }
        if await _issues_tickets(ctx, unit.session, event.business_id):
            await repository.add_ticket(unit.session, values | {"kind": InvoiceKind.TICKET.value})
            return
        last = await lock_series(unit.session, event.business_id, SERIES)
        await repository.add_with_number(unit.session, values | {"series": SERIES, "number": last + 1})

    await ctx.database.run(work)
    ctx.issuer.wake()
    ctx.transmitter.wake()


async def _issues_tickets(ctx: BillingContext, session: AsyncSession, business_id: UUID) -> bool:
    """Whether each sale of the business becomes a fiscal document of itself."""
    profile = await profiles.find(session, business_id)
    if profile is None or not profile.automatic_issue:
        return False
    country = Country(profile.country)
    if not ctx.fiscal.serves(country):
        return False
    return ctx.fiscal.provider(country).capabilities.automatic is DocumentKind.TICKET


async def sale_to_invoice(ctx: BillingContext, caller: Principal, sale_id: UUID) -> Invoice:
    """The document that the sale has already, whatever it is; access to it is access to the sale."""
    try:
        return await _seen_by(
            ctx, caller, lambda session: repository.find_of_sale(session, sale_id), Permission.OPERATE
        )
    except NotFound:
        raise sale_not_found() from None


async def request_invoice(ctx: BillingContext, unit: UnitOfWork, of_sale: Invoice, buyer: Receiver) -> Invoice:
    """An invoice to a buyer who is named. A ticket that has no number yet becomes it; a global invoice that has the
    sale is canceled once this one is accepted. Raises profile_missing, sale_already_invoiced, global_credited."""
    sale_id, now = of_sale.for_sale_id or of_sale.sale_id, ctx.clock.now()
    assert sale_id is not None
    profile = await profiles.find(unit.session, of_sale.business_id)
    if profile is None or not ctx.fiscal.serves(Country(profile.country)):
        raise profile_missing()
    if of_sale.global_id is not None and await credits.credited(unit.session, of_sale.global_id) > 0:
        raise global_credited()
    # Sealed for the row that will have it: of_sale's own where it is a ticket, else a new one.
    sealed = ctx.papers.seal(of_sale.place("basis"), Basis(receiver=buyer))
    named = await repository.name_the_buyer(
        unit.session,
        sale_id,
        {"basis": sealed, "request": None, "next_attempt_at": now, "status": InvoiceStatus.PENDING.value}
        | {"attempts": 0, "failure_reason": None, "failed_at": None},
    )
    if named is not None:
        return named
    invoice_id = new_id()
    added = await repository.add_invoice(
        unit.session,
        {
            "id": invoice_id,
            "business_id": of_sale.business_id,
            "branch_id": of_sale.branch_id,
            "for_sale_id": sale_id,
            "kind": InvoiceKind.INVOICE.value,
            "basis": ctx.papers.seal(f"invoices.basis:{invoice_id}", Basis(receiver=buyer)),
            "currency": of_sale.currency,
            "subtotal": of_sale.subtotal,
            "discount": of_sale.discount,
            "tax": of_sale.tax,
            "total": of_sale.total,
            "time_zone": of_sale.time_zone,
            "sold_at": of_sale.sold_at,
            "created_at": now,
            "next_attempt_at": now,
        },
    )
    if added is None:
        raise sale_already_invoiced()
    return added


async def check_cancel(ctx: BillingContext, caller: Principal, invoice_id: UUID) -> None:
    """The owner's."""
    await _seen_by(ctx, caller, lambda session: repository.find(session, invoice_id), Permission.MANAGE)


async def cancel(
    ctx: BillingContext, unit: UnitOfWork, invoice_id: UUID, motive: str, substitution: str | None
) -> Invoice:
    """Ask the authority to cancel, or take the document back by a credit note where it does not. Either takes time: the
    document is CANCELED, or says why not, later. Raises not_fiscal, not_cancelable, nothing_left, motive_unknown,
    global_credited."""
    invoice = await repository.find(unit.session, invoice_id)
    assert invoice is not None
    if not invoice.is_fiscal or invoice.kind == InvoiceKind.CREDIT_NOTE:
        raise not_fiscal()
    profile = await profiles.find(unit.session, invoice.business_id)
    if profile is None:
        raise profile_missing()
    capabilities = ctx.fiscal.provider(Country(profile.country)).capabilities
    now = ctx.clock.now()
    if invoice.kind == InvoiceKind.GLOBAL and await credits.credited(unit.session, invoice.id) > 0:
        raise global_credited()
    if capabilities.native_cancel:
        if motive not in capabilities.motives:
            raise motive_unknown(", ".join(sorted(capabilities.motives)))
        asked = {"cancel_motive": motive, "cancel_substitution": substitution}
        requested = await transmission.request_cancel(unit.session, invoice_id, now, asked)
        if requested is None:
            raise not_cancelable()
        return requested
    if invoice.status != InvoiceStatus.ISSUED:
        raise not_cancelable()
    if invoice.for_sale_id is not None:
        await credits.lock_sale(unit.session, invoice.for_sale_id)
    note_id = new_id()
    basis = ctx.papers.seal(f"invoices.basis:{note_id}", Basis(reason=motive))
    if await open_void(unit.session, invoice, now, basis, note_id) is None:
        raise nothing_left()
    canceling = await repository.note_motive(unit.session, invoice_id, motive)
    assert canceling is not None
    return canceling


async def xml_of(ctx: BillingContext, invoice: Invoice) -> bytes:
    """The document as it was stamped, checked against its checksum; out of the database where the store has lost it.
    Raises xml_not_ready, not_fiscal."""
    if not invoice.is_fiscal:
        raise not_fiscal()
    if invoice.xml_sha256 is None:
        raise xml_not_ready()
    stored = await ctx.receipts.xml(invoice.business_id, invoice.id, invoice.xml_sha256)
    if stored is not None:
        return stored
    kept = ctx.papers.handed_out(invoice)
    assert kept is not None
    with contextlib.suppress(ObjectStoreUnavailable):
        await ctx.receipts.keep_xml(invoice.business_id, invoice.id, kept)
    return kept


async def get_by_link(ctx: BillingContext, invoice_id: UUID) -> Invoice:
    """For a caller whose key was checked: it is the right to this one document."""
    async with ctx.database.read() as session:
        invoice = await repository.find(session, invoice_id)
    if invoice is None:
        raise invoice_not_found()
    return invoice


async def get(ctx: BillingContext, caller: Principal, invoice_id: UUID) -> Invoice:
    """Raises the same NotFound for what is absent and for what is another business's."""
    return await _seen_by(ctx, caller, lambda session: repository.find(session, invoice_id), Permission.READ)


async def get_of_sale_for(ctx: BillingContext, caller: Principal, sale_id: UUID) -> Invoice:
    return await _seen_by(ctx, caller, lambda session: repository.find_of_sale(session, sale_id), Permission.READ)


async def get_of_sale(ctx: BillingContext, sale_id: UUID, business_id: UUID | None = None) -> Invoice:
    """For a caller whose right to it was checked otherwise: the link's key, or the service's identity."""
    async with ctx.database.read() as session:
        invoice = await repository.find_of_sale(session, sale_id, business_id)
    if invoice is None:
        raise invoice_not_found()
    return invoice


async def list_invoices(
    ctx: BillingContext,
    caller: Principal,
    params: PageParams,
    *,
    business_id: UUID | None,
    sale_id: UUID | None,
    status: InvoiceStatus | None,
) -> Slice:
    """Newest first; an employee sees those of their own branches."""
    wanted = InvoiceFilter(await _branches(ctx, caller, business_id), sale_id, status)
    async with ctx.database.read() as session:
        return await repository.list_page(session, wanted, params)


async def pdf_of(ctx: BillingContext, invoice: Invoice, layout: Format, language: Language) -> bytes:
    """Raises not_ready until the document is issued."""
    if invoice.status not in (InvoiceStatus.ISSUED, InvoiceStatus.CANCELED) or invoice.content is None:
        raise not_ready()
    document = ctx.receipts.open(invoice.content, invoice.content_place)
    return await ctx.receipts.pdf(invoice.business_id, invoice.id, document, layout, language)


async def check_retry(ctx: BillingContext, caller: Principal, invoice_id: UUID) -> None:
    """Before anything stored under an Idempotency-Key is shown again."""
    await _seen_by(ctx, caller, lambda session: repository.find(session, invoice_id), Permission.OPERATE)


async def retry(ctx: BillingContext, unit: UnitOfWork, invoice_id: UUID) -> Invoice:
    """Make the document due at once. Raises already_issued."""
    invoice = await repository.reopen(unit.session, invoice_id, ctx.clock.now())
    if invoice is None:
        raise already_issued()
    return invoice


async def _seen_by(
    ctx: BillingContext,
    caller: Principal,
    query: Callable[[AsyncSession], Awaitable[Invoice | None]],
    permission: Permission,
) -> Invoice:
    async def look_up() -> Invoice:
        async with ctx.database.read() as session:
            found = await query(session)
        if found is None:
            raise invoice_not_found()
        return found

    invoice = await ctx.access.find(caller, look_up)
    try:
        await ctx.access.require(caller, invoice.business_id, permission, branch_id=invoice.branch_id)
    except NotFound:
        raise invoice_not_found() from None
    return invoice


async def _branches(
    ctx: BillingContext, caller: Principal, business_id: UUID | None
) -> Mapping[UUID, frozenset[UUID] | None] | None:
    memberships = await ctx.access.visible_memberships(caller, business_id)
    if memberships is None:
        return None
    return {membership.business_id: _scope(membership) for membership in memberships}


def _scope(membership: Membership) -> frozenset[UUID] | None:
    return None if membership.role is BusinessRole.OWNER else membership.branch_ids
