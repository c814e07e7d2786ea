"""A provider's instructions to the buyer as the columns of a payment."""

from __future__ import annotations

from typing import Any, assert_never

from psp.provider import Instructions, PayByLink, PayByQr, PayByTransfer


def columns(instructions: Instructions) -> dict[str, Any]:
    """qr_content, payment_link and transfer, each None where it does not apply. A link may be shown as a QR code."""
    match instructions:
        case PayByQr(content=content, native=native):
            return {"qr_content": content, "payment_link": None if native else content, "transfer": None}
        case PayByLink(url=url):
            return {"qr_content": url, "payment_link": url, "transfer": None}
        case PayByTransfer(clabe=None, url=url):
            return {"qr_content": url, "payment_link": url, "transfer": None}
        case PayByTransfer(clabe=clabe, bank=bank, reference=reference):
            transfer = {"clabe": clabe, "bank": bank, "reference": reference}
            return {"qr_content": None, "payment_link": None, "transfer": transfer}
        case _:
            assert_never(instructions)
