"""Which business a request counts for, as far as can be known without reading bodies, which the gateway only passes on.

The business named in the query or in the path, when the token names it too; otherwise the only one of the token. A
caller with several businesses whose request names none counts under their own limit alone, like an administrator.
"""

from __future__ import annotations

import re
from typing import Final
from uuid import UUID

from chassis.auth import Principal

from gateway.routing.table import PREFIX

_UUID: Final = r"([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})"
_IN_PATH: Final = re.compile(rf"{PREFIX}/(?:businesses|fiscal-profiles)/{_UUID}(?:/|$)")
_IN_QUERY: Final = re.compile(rb"(?:^|&)businessId=" + _UUID.encode() + rb"(?:&|$)")


def business_of(caller: Principal, path: str, query: bytes) -> UUID | None:
    memberships = caller.memberships
    if not memberships:
        return None
    found = _IN_QUERY.search(query) if query else None
    named = found[1].decode() if found else None
    if named is None and (in_path := _IN_PATH.match(path)):
        named = in_path[1]
    if named is not None and (business := UUID(named)) in memberships:
        return business
    return next(iter(memberships)) if len(memberships) == 1 else None
