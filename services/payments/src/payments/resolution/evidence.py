"""What a provider's status proves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from psp.provider import ProviderStatus

from payments.intents.status import Evidence

EVIDENCE: Final[Mapping[ProviderStatus, Evidence]] = {
    ProviderStatus.PENDING: Evidence.WAITING,
    ProviderStatus.CONFIRMED: Evidence.PAID,
    ProviderStatus.PARTIALLY_REFUNDED: Evidence.PAID,
    ProviderStatus.REFUNDED: Evidence.PAID,
    ProviderStatus.FAILED: Evidence.FAILED,
}
