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
from twins.settings import TwinsSettings

Json = dict[str, Any]


class ControlRefused(Exception):
    """The twin would not do that, for instance pay an order it does not have. status: of its answer."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status}: {body[:500]}")
        self.status = status


class Twins:
    """key, everywhere: Conekta's order id or our own reference."""

    def __init__(self, url: str, api_key: str, public_key_pem: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.conekta_url = f"{url}/conekta"
        self.twilio_url = f"{url}/twilio"
        self.sendgrid_url = f"{url}/sendgrid"
        self.api_key = api_key
        self.public_key_pem = public_key_pem
        self._session = session

    async def pay(self, key: str, *, amount: int | None = None, force: bool = False) -> Json:
        """amount: centavos, when another amount arrives. force: although the order is no longer payable."""
        return await self._control("POST", f"/conekta/orders/{key}/pay", {"amount": amount, "force": force})

    async def decline(self, key: str) -> Json:
        return await self._control("POST", f"/conekta/orders/{key}/decline")

    async def expire(self, key: str) -> Json:
        return await self._control("POST", f"/conekta/orders/{key}/expire")

    async def orders(self, key: str) -> list[Json]:
        """Newest first, as Conekta would show them; none is an empty list."""
        try:
            found: list[Json] = (await self._control("GET", f"/conekta/orders/{key}"))["data"]
        except ControlRefused:
            return []
        return found

    async def fault(self, kind: str, *, twin: str = "conekta", **options: Any) -> None:
        """options: times, probability, seed, operation, reference, seconds, count (see twins.faults.Fault)."""
        await self._control("POST", f"/{twin}/faults", {"kind": kind, **options})

    async def clear_faults(self, twin: str = "conekta") -> None:
        await self._control("DELETE", f"/{twin}/faults")

    async def journal(self, reference: str | None = None) -> Json:
        """`orders`, `charges`, `charged_amount`, `refunds`, `refunded_amount` (centavos) and `calls`, newest first."""
        return await self._control("GET", "/conekta/journal", params={"reference": reference} if reference else {})

    async def deliveries(self, reference: str | None = None) -> list[Json]:
        """Webhooks sent or to be sent, newest first."""
        params = {"reference": reference} if reference else {}
        found: list[Json] = (await self._control("GET", "/conekta/deliveries", params=params))["data"]
        return found

    async def resend(self, event_id: str) -> None:
        """Deliver an event of Conekta's once more, to every endpoint."""
        headers = {"Authorization": f"Bearer {self.api_key}", "Accept": MEDIA_TYPE}
        async with self._session.post(f"{self.conekta_url}/events/{event_id}/resend", headers=headers) as answer:
            if answer.status != 200:
                raise ControlRefused(answer.status, await answer.text())

    async def messages(self, to: str | None = None, channel: str | None = None) -> list[Json]:
        """SMS and e-mails, newest first."""
        params = {key: value for key, value in (("to", to), ("channel", channel)) if value}
        found: list[Json] = (await self._control("GET", "/messages", params=params))["data"]
        return found

    async def reset(self) -> None:
        await self._control("POST", "/reset")

    async def _control(self, method: str, path: str, body: Json | None = None, params: Json | None = None) -> Json:
        async with self._session.request(method, f"{self.url}/_control{path}", json=body, params=params) as answer:
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
    """In this process and event loop. settings: further fields of TwinsSettings."""
    listener = _listen()
    port = listener.getsockname()[1]
    chosen = TwinsSettings(
        http_port=port, conekta_webhook_url=webhook_url, time_scale=time_scale, data_dir=data_dir, **settings
    )
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
        api_key: SecretStr = chosen.conekta_api_key
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
