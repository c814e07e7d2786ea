"""Looking for a payment of ours among Conekta's orders, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest
from kernel import FixedClock, new_id
from psp.mexico.conekta import wire
from psp.mexico.conekta.adapter import ConektaAdapter
from psp.mexico.conekta.client import ConektaClient
from psp.mexico.conekta.settings import ConektaSettings
from psp.provider import ProviderUnavailable
from psp.readings import Window


class Pages:
    """A Conekta whose search finds nothing, and whose list has these references, so many a page."""

    def __init__(self, references: Sequence[str], size: int = 2) -> None:
        self._orders = [
            wire.Order.model_validate(
                {"id": f"ord_{i}", "amount": 100, "currency": "MXN", "metadata": {"cobro_payment_id": reference}}
            )
            for i, reference in enumerate(references)
        ]
        self._size = size
        self.listed = 0

    async def search_orders(self, text: str) -> wire.Page[wire.Order]:
        return wire.Page[wire.Order]()

    async def list_orders(self, window: Window, after: str | None = None) -> wire.Page[wire.Order]:
        self.listed += 1
        start = 0 if after is None else int(after.removeprefix("ord_")) + 1
        items = tuple(self._orders[start : start + self._size])
        return wire.Page[wire.Order](data=items, has_more=start + self._size < len(self._orders))


def make_adapter(pages: Any) -> ConektaAdapter:
    return ConektaAdapter(ConektaSettings(api_key=None), cast("ConektaClient", pages), FixedClock())


@pytest.mark.parametrize("position", [0, 1, 2, 4])
async def test_every_page_is_looked_through(position: int) -> None:
    reference = str(new_id())
    references = [str(new_id()) for _ in range(5)]
    references[position] = reference
    found = await make_adapter(Pages(references)).find_payment(reference)
    assert found is not None
    assert found.provider_ref == f"ord_{position}"


async def test_what_is_on_no_page_is_not_there() -> None:
    pages = Pages([str(new_id()) for _ in range(5)])
    assert await make_adapter(pages).find_payment(str(new_id())) is None
    assert pages.listed == 3


async def test_too_many_pages_prove_nothing() -> None:
    pages = Pages([str(new_id()) for _ in range(300)])
    with pytest.raises(ProviderUnavailable, match="inconclusive"):
        await make_adapter(pages).find_payment(str(new_id()))


async def test_a_reference_that_tells_no_time_is_only_searched() -> None:
    pages = Pages(["ord-1"])
    assert await make_adapter(pages).find_payment("ord-1") is None
    assert pages.listed == 0
