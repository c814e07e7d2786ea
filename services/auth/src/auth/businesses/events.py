"""What others are told about businesses."""

from __future__ import annotations

from typing import TypeVar

from contracts.events.auth import BusinessCreated, BusinessDeleted, BusinessUpdated
from kernel import Country, Currency

from auth.businesses.models import Business

ChangeT = TypeVar("ChangeT", BusinessCreated, BusinessUpdated, BusinessDeleted)


def of(event: type[ChangeT], business: Business) -> ChangeT:
    return event(
        aggregate_id=business.id,
        aggregate_version=business.version,
        business_id=business.id,
        owner_id=business.owner_id,
        country=Country(business.country),
        currency=Currency(business.currency),
        time_zone=business.time_zone,
        is_active=business.is_active,
    )
