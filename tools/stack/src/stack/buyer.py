"""The buyer of a made-up sale: comes to where the payment leads, as a browser would, and pays at the twin."""

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

import aiohttp
from twins.testing import ControlRefused, ProviderTwin, Twins


class Buyer:
    """Knows a payment by what `GET /payments/:id` says of it."""

    def __init__(self, session: aiohttp.ClientSession, twins: Twins) -> None:
        self._session = session
        self._twins = twins

    def provider_of(self, payment: Mapping[str, Any]) -> ProviderTwin:
        return self._twins.provider(payment["providerAdapter"])

    async def arrive(self, payment: Mapping[str, Any]) -> None:
        """Open the page, and send on the form that it may hold: some providers hear of a payment only then.

        Raises aiohttp.ClientError. What is paid without a page, by a wallet's own code or to an account, has none.
        """
        if not payment["paymentLink"]:
            return
        async with self._session.get(payment["paymentLink"]) as answer:
            answer.raise_for_status()
            page = _Page()
            page.feed(await answer.text())
        if page.action is None or not page.fields:
            return
        async with self._session.post(page.action, data=page.fields) as answer:
            answer.raise_for_status()

    async def pay(self, payment: Mapping[str, Any]) -> None:
        """Raises aiohttp.ClientError, TimeoutError, ControlRefused. Once it is paid, paying again changes nothing."""
        await self.arrive(payment)
        provider = self.provider_of(payment)
        try:
            await provider.pay(payment["id"])
        except ControlRefused:
            # The answer to an earlier try may have been lost.
            if not (await provider.journal(payment["id"]))["charges"]:
                raise


class _Page(HTMLParser):
    """action: of the first form. fields: those of it that are hidden."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form" and self.action is None:
            self.action, self._inside = given.get("action"), True
        elif tag == "input" and self._inside and given.get("type") == "hidden":
            self.fields[given.get("name") or ""] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
