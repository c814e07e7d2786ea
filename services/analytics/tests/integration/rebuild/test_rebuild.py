"""Facts made again: readers see the old ones until the new are ready, and nothing that comes meanwhile is missing."""

from typing import Any

import pytest
from analytics.facts import repository as facts
from analytics.rebuild import repository, service
from contracts.events.payments import PaymentConfirmed
from contracts.events.sales import SaleCompleted
from kernel import new_id
from sqlalchemy import text

pytestmark = pytest.mark.integration


async def asked(merchant: Any) -> None:
    kit = merchant.service.kit
    await service.request(kit.database, kit.clock, merchant.business.id)


async def worked_off(merchant: Any) -> int:
    return await service.work_off(merchant.service.kit.database, merchant.service.kit.cache)


async def test_what_comes_meanwhile_is_counted_at_the_end(merchant: Any, open_shop: Any) -> None:
    other = open_shop()
    await merchant.hears(merchant.sale(SaleCompleted))
    await asked(merchant)

    # Whoever asked for it has died: events go on coming.
    await merchant.hears(merchant.sale(SaleCompleted))
    await other.hears(other.sale(SaleCompleted))
    assert ((await merchant.summary())["salesCount"], (await other.summary())["salesCount"]) == (1, 1)

    assert await worked_off(merchant) == 1
    assert (await merchant.summary())["salesCount"] == 2
    assert await worked_off(merchant) == 0


async def test_readers_see_the_old_until_the_new_is_ready(merchant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await merchant.hears(merchant.sale(SaleCompleted), merchant.sale(SaleCompleted))
    await lose_a_sale(merchant)
    seen = []
    done = repository.done

    async def last_step(*arguments: Any) -> None:
        seen.append((await merchant.summary())["salesCount"])
        await done(*arguments)

    monkeypatch.setattr(repository, "done", last_step)
    await asked(merchant)
    await worked_off(merchant)

    assert (seen, (await merchant.summary())["salesCount"]) == ([1], 2)


async def test_a_rebuild_that_dies_changes_nothing_and_is_taken_up(
    merchant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await merchant.hears(merchant.sale(SaleCompleted))
    await asked(merchant)

    async def dies(*_: Any) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(facts, "mark", dies)
        with pytest.raises(RuntimeError):
            await worked_off(merchant)
    assert (await merchant.summary())["salesCount"] == 1

    assert await worked_off(merchant) == 1
    assert (await merchant.summary())["salesCount"] == 1


async def test_facts_of_before_there_was_a_log(merchant: Any) -> None:
    """The migration kept them as rows; later events of the same sale and payment are merged as ever."""
    sale, payment = merchant.sale(SaleCompleted), new_id()
    await merchant.hears(sale, merchant.payment(PaymentConfirmed, id=payment, sale_id=sale.aggregate_id))
    async with merchant.service.kit.database.transaction() as unit:
        await unit.session.execute(text("DELETE FROM event_log WHERE business_id = :id"), {"id": merchant.business.id})
        for table in ("sale_facts", "sale_line_facts", "sale_part_facts", "payment_facts"):
            await unit.session.execute(
                text(
                    "INSERT INTO event_log (business_id, event_id, type, occurred_at, body)"
                    f" SELECT business_id, gen_random_uuid(), 'row:{table}', now(), row_to_json(t)"
                    f" FROM {table} AS t WHERE business_id = :id"
                ),
                {"id": merchant.business.id},
            )
    await merchant.hears(merchant.refund(sale, "16.00", items=1))
    before = await merchant.summary()

    await asked(merchant)
    await worked_off(merchant)

    assert await merchant.summary() == before


async def lose_a_sale(merchant: Any) -> None:
    """By a bug, say: the reason for which one rebuilds."""
    async with merchant.service.kit.database.transaction() as unit:
        sale = "(SELECT id FROM sale_facts WHERE business_id = :id LIMIT 1)"
        for table, column in (("sale_line_facts", "sale_id"), ("sale_part_facts", "sale_id"), ("sale_facts", "id")):
            await unit.session.execute(
                text(f"DELETE FROM {table} WHERE {column} = {sale}"), {"id": merchant.business.id}
            )
