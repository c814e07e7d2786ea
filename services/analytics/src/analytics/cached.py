"""What Redis remembers of reports: the latest epoch of a business is part of their keys, so that a new one forgets all.

Redis down means computed each time. A new epoch that Redis could not be told leaves a report of settled days as old as
it may be anyway: an hour.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from chassis.cache import Cache
from kernel import new_id

SETTLED_TTL: Final = 3600
# Longer than whatever was remembered under an earlier one.
_EPOCH_TTL: Final = 2 * SETTLED_TTL


async def epoch_of(cache: Cache, business_id: UUID) -> str:
    return str(await cache.get(_key(business_id)) or "")


async def forget_reports(cache: Cache, businesses: Iterable[UUID]) -> None:
    """A fact of a day long over has come late: what is remembered of it is no longer so."""
    for business_id in businesses:
        await cache.set(_key(business_id), str(new_id()), ttl=_EPOCH_TTL)


def _key(business_id: UUID) -> str:
    return f"analytics:epoch:{business_id}"
