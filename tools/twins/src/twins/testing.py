"""The twins inside a test: started on a free port, spoken to through their control API.

async with running_twins(webhook_url="http://127.0.0.1:8105/webhooks/conekta") as twins:
    ...  # point CONEKTA_API_URL at twins.conekta_url
    await twins.pay(reference)
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import uvicorn
from pydantic import SecretStr

from twins.app import create_app
from twins.conekta.calls import MEDIA_TYPE
from twins.conekta.settings import ConektaTwinSettings
from twins.settings import TwinsSettings

Json = dict[str, Any]


class ControlRefused(Exception):
    """The twin would not do that, for instance pay an order it does not have. status: of its answer."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status}: {body[:500]}")
        self.status = status


class ProviderTwin:
    """One payment provider's twin. key, everywhere: the provider's own id or our reference."""

    def __init__(self, url: str, name: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.name = name
        self._session = session

    @property
    def api_url(self) -> str:
        return f"{self.url}/{self.name}"

    async def pay(self, key: str, *, amount: int | None = None, force: bool = False) -> Json:
        """amount: minor units, when another amount arrives. force: although the payment is no longer payable."""
        return await self._ask("POST", f"/payments/{key}/pay", {"amount": amount, "force": force})

    async def decline(self, key: str) -> Json:
        return await self._ask("POST", f"/payments/{key}/decline")

    async def expire(self, key: str) -> Json:
        return await self._ask("POST", f"/payments/{key}/expire")

    async def settle_refunds(self, key: str, *, approved: bool = True) -> Json:
        """Carry out, or turn down, the refunds that are under way."""
        return await self._ask("POST", f"/payments/{key}/refunds", {"approved": approved})

    async def payments(self, key: str) -> list[Json]:
        """Newest first, as the provider would show them; none is an empty list."""
        try:
            found: list[Json] = (await self._ask("GET", f"/payments/{key}"))["data"]
        except ControlRefused:
            return []
        return found

    async def fault(self, kind: str, **options: Any) -> None:
        """options: times, probability, seed, operation, reference, seconds, count (see twins.faults.Fault)."""
        await self._ask("POST", "/faults", {"kind": kind, **options})

    async def faults(self) -> list[Json]:
        """Those that are armed and not spent."""
        found: list[Json] = (await self._ask("GET", "/faults"))["data"]
        return found

    async def clear_faults(self) -> None:
        await self._ask("DELETE", "/faults")

    async def journal(self, reference: str | None = None) -> Json:
        """`payments`, `charges`, `charged_amount`, `refunds`, `refunded_amount`; `calls`, newest first."""
        return await self._ask("GET", "/journal", params={"reference": reference} if reference else {})

    async def deliveries(self, reference: str | None = None) -> list[Json]:
        """Webhooks sent or to be sent, newest first."""
        params = {"reference": reference} if reference else {}
        found: list[Json] = (await self._ask("GET", "/deliveries", params=params))["data"]
        return found

    async def resend(self, event_id: str) -> None:
        """Post a webhook of the provider once more, wherever it was posted."""
        await self._ask("POST", f"/events/{event_id}/resend")

    async def _ask(self, method: str, path: str, body: Json | None = None, params: Json | None = None) -> Json:
        return await ask(self._session, method, f"{self.url}/_control/{self.name}{path}", body, params)


class Twins:
    """All of them. What is not asked of one provider's twin by name concerns Conekta's."""

    def __init__(self, url: str, api_key: str, public_key_pem: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.conekta = ProviderTwin(url, "conekta", session)
        self.conekta_url = f"{url}/conekta"
        self.twilio_url = f"{url}/twilio"
        self.sendgrid_url = f"{url}/sendgrid"
        self.vonage_url = f"{url}/vonage"
        self.fcm_url = f"{url}/fcm"
        self.api_key = api_key
        self.public_key_pem = public_key_pem
        self._session = session
        self.pay = self.conekta.pay
        self.decline = self.conekta.decline
        self.expire = self.conekta.expire
        self.orders = self.conekta.payments
        self.journal = self.conekta.journal
        self.deliveries = self.conekta.deliveries

    def provider(self, name: str) -> ProviderTwin:
        return ProviderTwin(self.url, name, self._session)

    async def fault(self, kind: str, *, twin: str = "conekta", **options: Any) -> None:
        """twin: of any outside system. options: see ProviderTwin.fault."""
        await self.provider(twin).fault(kind, **options)

    async def clear_faults(self, twin: str = "conekta") -> None:
        await self.provider(twin).clear_faults()

    async def resend(self, event_id: str) -> None:
        """Deliver an event of Conekta's once more, to every endpoint."""
        headers = {"Authorization": f"Bearer {self.api_key}", "Accept": MEDIA_TYPE}
        async with self._session.post(f"{self.conekta_url}/events/{event_id}/resend", headers=headers) as answer:
            if answer.status != 200:
                raise ControlRefused(answer.status, await answer.text())

    async def messages(self, to: str | None = None, channel: str | None = None) -> list[Json]:
        """SMS and e-mails, newest first."""
        params = {key: value for key, value in (("to", to), ("channel", channel)) if value}
        found: list[Json] = (await ask(self._session, "GET", f"{self.url}/_control/messages", params=params))["data"]
        return found

    async def reset(self) -> None:
        await ask(self._session, "POST", f"{self.url}/_control/reset")


async def ask(
    session: aiohttp.ClientSession, method: str, url: str, body: Json | None = None, params: Json | None = None
) -> Json:
    """Raises ControlRefused."""
    async with session.request(method, url, json=body, params=params) as answer:
        if answer.status >= 300:
            raise ControlRefused(answer.status, await answer.text())
        result: Json = await answer.json() if answer.status != 204 else {}
        return result


@asynccontextmanager
async def connected(url: str, api_key: str = "key_twin") -> AsyncIterator[Twins]:
    """To twins that run elsewhere, for instance as part of a whole suite."""
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/_control/conekta/public-key") as answer:
            answer.raise_for_status()
            public_key = await answer.text()
        yield Twins(url, api_key, public_key, session)


@asynccontextmanager
async def running_twins(
    webhook_url: str | None = None,
    *,
    time_scale: float = 50.0,
    data_dir: Path | None = None,
    **settings: Any,
) -> AsyncIterator[Twins]:
    """In this process and event loop. webhook_url: of Conekta's. settings: further fields of TwinsSettings."""
    listener = _listen()
    port = listener.getsockname()[1]
    own = settings.pop("conekta", None) or ConektaTwinSettings(webhook_url=webhook_url)
    chosen = TwinsSettings(http_port=port, conekta=own, time_scale=time_scale, data_dir=data_dir, **settings)
    server = _Server(
        uvicorn.Config(
            create_app(chosen), log_config=None, access_log=False, timeout_graceful_shutdown=1, timeout_keep_alive=30
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            if serving.done():
                await serving
                raise RuntimeError("the twins did not start")
            await asyncio.sleep(0.01)
        api_key: SecretStr = chosen.conekta.api_key
        async with connected(f"http://127.0.0.1:{port}", api_key.get_secret_value()) as twins:
            yield twins
    finally:
        server.should_exit = True
        await serving
        listener.close()


class _Server(uvicorn.Server):
    """Leaves the signals to whoever runs the test."""

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        await self._serve(sockets)


def _listen() -> socket.socket:
    """Below the ephemeral range, so that no outgoing connection can hold the port."""
    for port in random.sample(range(20_000, 32_000), 200):
        # With the protocol spelled out, or asyncio leaves Nagle's algorithm on and each answer waits 40 ms.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            listener.close()
            continue
        return listener
    raise RuntimeError("no free port")
