"""Starts a service as `-m` would, except that its tenant filter is out for as long as the file that UNFILTERED_WHILE
names exists: what is left of the isolation is then PostgreSQL's.

    python -P unfiltered.py payments all

Out are `Access`, and `is_admin` wherever a service decides by it what a list may show. The chassis is not deceived: the
scope of row-level security is still the verified caller's.
"""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from chassis.auth import Access, BusinessRole, Membership, Principal

FLAG = "UNFILTERED_WHILE"


def take_out_the_filter(flag: Path) -> None:
    _let_everybody_in(Access, flag.exists)
    is_admin = Principal.is_admin.fget
    assert is_admin is not None

    def taken_for_one(caller: Principal) -> Any:
        asking = str(sys._getframe(1).f_globals["__name__"])
        return is_admin(caller) or (flag.exists() and not asking.startswith("chassis."))

    Principal.is_admin = property(taken_for_one)  # type: ignore[method-assign,assignment]


def _let_everybody_in(access: Any, is_out: Callable[[], bool]) -> None:
    require, visible, visible_memberships = access.require, access.visible, access.visible_memberships

    async def granted(self: Access, caller: Principal, business_id: UUID, *rest: Any, **named: Any) -> Any:
        if is_out():
            return Membership(business_id, BusinessRole.OWNER)
        return await require(self, caller, business_id, *rest, **named)

    async def all_businesses(
        self: Access, caller: Principal, business_id: UUID | None, *rest: Any, **named: Any
    ) -> Any:
        if is_out():
            return None if business_id is None else [business_id]
        return await visible(self, caller, business_id, *rest, **named)

    async def all_memberships(
        self: Access, caller: Principal, business_id: UUID | None, *rest: Any, **named: Any
    ) -> Any:
        if is_out():
            return None if business_id is None else [Membership(business_id, BusinessRole.OWNER)]
        return await visible_memberships(self, caller, business_id, *rest, **named)

    access.require, access.visible, access.visible_memberships = granted, all_businesses, all_memberships


if __name__ == "__main__":
    take_out_the_filter(Path(os.environ[FLAG]))
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
