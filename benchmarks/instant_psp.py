"""A payment provider that answers at once: Conekta's orders with hardly any state, so that only Cobro is measured.

`python -m benchmarks.instant_psp PORT`. POST /orders gives a checkout; GET /orders/{id} gives that order, paid when its
id was named by POST /_paid. A raw protocol, because a framework would cost more than what it stands for.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from typing import cast

import uvloop

_MEDIA = b"application/vnd.conekta-v2.3.0+json"


class Orders:
    def __init__(self) -> None:
        self.bodies: dict[str, dict[str, object]] = {}
        self.numbers = itertools.count(1)

    def create(self, order: dict[str, object]) -> dict[str, object]:
        number = next(self.numbers)
        items = order["line_items"]
        assert isinstance(items, list)
        amount = sum(item["unit_price"] * item["quantity"] for item in items)
        checkout = order.get("checkout")
        expires = checkout.get("expires_at") if isinstance(checkout, dict) else None
        body: dict[str, object] = {
            "id": f"ord_bench{number:012d}",
            "object": "order",
            "livemode": False,
            "amount": amount,
            "currency": order["currency"],
            "payment_status": None,
            "amount_refunded": 0,
            "metadata": order.get("metadata", {}),
            "created_at": 1768500000,
            "updated_at": 1768500000,
            "charges": None,
            "checkout": {
                "id": f"checkout-{number}",
                "status": "Issued",
                "type": "HostedPayment",
                "slug": f"{number}",
                "url": f"https://pay.conekta.com/checkout/{number}",
                "expires_at": expires,
            },
        }
        self.bodies[str(body["id"])] = body
        return body

    def pay(self, order_id: str) -> dict[str, object]:
        order = self.bodies[order_id]
        order["payment_status"] = "paid"
        charge = {
            "id": f"charge-{order_id}",
            "object": "charge",
            "status": "paid",
            "amount": order["amount"],
            "currency": order["currency"],
            "paid_at": 1768500001,
            "created_at": 1768500000,
            "payment_method": {"object": "card_payment", "type": "credit"},
        }
        order["charges"] = {"object": "list", "data": [charge], "has_more": False, "total": 1}
        return order


class Connection(asyncio.Protocol):
    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not registered as one

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            length = 0
            for line in head.split(b"\r\n")[1:]:
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if len(self._buffer) < end + 4 + length:
                return
            body = self._buffer[end + 4 : end + 4 + length]
            self._buffer = self._buffer[end + 4 + length :]
            method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
            self._answer(*self._route(method, path, body))

    def _route(self, method: str, path: str, body: bytes) -> tuple[int, object]:
        path = path.partition("?")[0]
        if (method, path) == ("POST", "/orders"):
            return 200, self._orders.create(json.loads(body))
        if (method, path) == ("POST", "/_paid"):
            return 200, [self._orders.pay(order_id) for order_id in json.loads(body)]
        order = self._orders.bodies.get(path.rsplit("/", 1)[-1])
        if method == "GET" and order is not None:
            return 200, order
        return 404, {"object": "error", "type": "resource_not_found_error", "log_id": "1", "details": []}

    def _answer(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        head = b"HTTP/1.1 %d OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (status, _MEDIA, len(content))
        self._transport.write(head + content)


async def main(port: int) -> None:
    orders = Orders()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(orders), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
