"""The verb that only some providers have: listing the payments of a period (`Capabilities.lists_payments`)."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, runtime_checkable

from psp.provider import FetchedPayment


@runtime_checkable
class ListsPayments(Protocol):
    async def list_payments(self, since: datetime, until: datetime) -> tuple[FetchedPayment, ...]:
        """All that were created there in this time, both ends included, whoever created them. Raises
        ProviderUnavailable, also where there are more than can be listed: a part would look like the whole.
        """
        ...
