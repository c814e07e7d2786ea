"""Use cases of documents."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from chassis.auth import BusinessRole, Membership, Permission, Principal
from chassis.bus.received import Received
from chassis.database import UnitOfWork
from chassis.http.pagination import PageParams, Slice
from chassis.localization import Language
from chassis.pdf.thread import Format
from contracts.events.sales import SaleCompleted
from kernel import NotFound, new_id
from sqlalchemy.ext.asyncio import AsyncSession

from billing.context import BillingContext
from billing.invoices import repository
from billing.invoices.errors import already_issued, invoice_not_found, not_ready
from billing.invoices.models import Invoice
from billing.invoices.repository import InvoiceFilter
from billing.invoices.status import InvoiceStatus

# Receipts have one series per business; fiscal documents will have those their authority gives them.
SERIES = "R"


async def open_invoice(ctx: BillingContext, received: Received[SaleCompleted]) -> None:
    """Number a completed sale's document. Once per sale, without gaps, whatever is delivered again or at once."""
    event = received.event

    async def work(unit: UnitOfWork) -> None:
        if not await unit.accept(received):
            return
        last = await repository.lock_series(unit.session, event.business_id, SERIES)
        await repository.add_with_number(
            unit.session,
            {
                "id": new_id(),
                "business_id": event.business_id,
                "branch_id": event.branch_id,
                "sale_id": event.aggregate_id,
                "series": SERIES,
                "number": last + 1,
                "currency": event.total.currency.value,
                "subtotal": event.subtotal.money.decimal,
                "discount": event.discount.money.decimal,
                "tax": event.tax.money.decimal,
                "total": event.total.money.decimal,
                "time_zone": event.time_zone,
                "sold_at": event.completed_at,
                "created_at": ctx.clock.now(),
                "next_attempt_at": ctx.clock.now(),
            },
        )

    await ctx.database.run(work)
    ctx.issuer.wake()


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
