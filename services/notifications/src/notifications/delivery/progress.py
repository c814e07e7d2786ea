"""What providers report of a message they had taken on: pure, and the same in whatever order reports come."""

from __future__ import annotations

from enum import StrEnum


class DeliveryStatus(StrEnum):
    """ACCEPTED: on its way. DELAYED: the receiving side has not taken it yet. DELIVERED: to the phone or the mailbox.
    UNDELIVERED: it will not arrive, or was returned."""

    ACCEPTED = "ACCEPTED"
    DELAYED = "DELAYED"
    DELIVERED = "DELIVERED"
    UNDELIVERED = "UNDELIVERED"


_ORDER = list(DeliveryStatus)


def further(known: DeliveryStatus | None, reported: DeliveryStatus) -> DeliveryStatus:
    """The later of the two in a message's life. A mail server may take an e-mail and return it afterwards, so
    UNDELIVERED is the last word."""
    return reported if known is None else max(known, reported, key=_ORDER.index)
