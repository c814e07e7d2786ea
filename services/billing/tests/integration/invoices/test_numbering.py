import asyncio
from typing import Any

import pytest
from billing.invoices.models import Invoice
from billing.numbering.models import NumberSeries
from chassis.testing.service import ServiceUnderTest
from sqlalchemy import select

pytestmark = pytest.mark.integration

QUEUE = "billing.sales"


def sell(sales: Any, shop: Any) -> Any:
    """Unknown to the sales service, so that no later test spends time on drawing it."""
    event = sales.sell(shop.business.id, shop.branch.id)
    del sales.sales[str(event.aggregate_id)]
    return event


async def invoices_of(sut: ServiceUnderTest, business: Any) -> list[Invoice]:
    async with sut.kit.database.read() as session:
        statement = select(Invoice).where(Invoice.business_id == business.id).order_by(Invoice.number)
        return list((await session.execute(statement)).scalars())


async def test_a_completed_sale_gets_the_next_number(sut: ServiceUnderTest, sales: Any, shop: Any) -> None:
    for _ in range(2):
        await sut.deliver(QUEUE, sell(sales, shop))

    found = await invoices_of(sut, shop.business)

    assert [invoice.invoice_number for invoice in found] == ["R-00000001", "R-00000002"]
    assert {invoice.status for invoice in found} == {"PENDING"}


async def test_a_hundred_sales_at_once_leave_no_gap_and_no_double(sut: ServiceUnderTest, sales: Any, shop: Any) -> None:
    events = [sell(sales, shop) for _ in range(100)]

    await asyncio.gather(*(sut.deliver(QUEUE, event) for event in events))

    found = await invoices_of(sut, shop.business)
    assert [invoice.number for invoice in found] == list(range(1, 101))
    assert {invoice.sale_id for invoice in found} == {event.aggregate_id for event in events}


async def test_the_same_delivery_again_changes_nothing(sut: ServiceUnderTest, sales: Any, shop: Any) -> None:
    event = sell(sales, shop)

    event_id = await sut.deliver(QUEUE, event)
    await asyncio.gather(*(sut.deliver(QUEUE, event, id=event_id) for _ in range(5)))

    assert len(await invoices_of(sut, shop.business)) == 1


async def test_the_same_sale_under_other_event_ids_burns_no_number(
    sut: ServiceUnderTest, sales: Any, shop: Any
) -> None:
    event = sell(sales, shop)

    await asyncio.gather(*(sut.deliver(QUEUE, event) for _ in range(8)))
    await sut.deliver(QUEUE, sell(sales, shop))

    assert [invoice.number for invoice in await invoices_of(sut, shop.business)] == [1, 2]


async def test_a_rolled_back_document_gives_its_number_back(
    sut: ServiceUnderTest, sales: Any, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = sell(sales, shop)
    with monkeypatch.context() as patch:

        async def dies(_: object) -> bool:
            raise ConnectionResetError

        patch.setattr("chassis.database.unit.UnitOfWork.finish", dies)
        with pytest.raises(ConnectionResetError):
            await sut.deliver(QUEUE, event)
    await sut.deliver(QUEUE, event)

    assert [invoice.number for invoice in await invoices_of(sut, shop.business)] == [1]
    async with sut.kit.database.read() as session:
        series = await session.get(NumberSeries, (shop.business.id, "R"))
    assert series is not None
    assert series.last_number == 1
