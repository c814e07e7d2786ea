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
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from chassis.auth import Access, BusinessRole, Membership, Permission, Principal

FLAG = "UNFILTERED_WHILE"


def take_out_the_filter(flag: Path) -> None:
    require, visible, is_admin = Access.require, Access.visible, Principal.is_admin.fget
    assert is_admin is not None

    def is_out() -> bool:
        return flag.exists()

    async def granted(
        self: Access, caller: Principal, business_id: UUID, permission: Permission, *, branch_id: UUID | None = None
    ) -> Membership:
        if is_out():
            return Membership(business_id, BusinessRole.OWNER)
        return await require(self, caller, business_id, permission, branch_id=branch_id)

    async def everything(self: Access, caller: Principal, business_id: UUID | None) -> Sequence[UUID] | None:
        if is_out():
            return None if business_id is None else [business_id]
        return await visible(self, caller, business_id)

    def taken_for_one(self: Principal) -> Any:
        asking = str(sys._getframe(1).f_globals["__name__"])
        return is_admin(self) or (is_out() and not asking.startswith("chassis."))

    Access.require = granted  # type: ignore[method-assign]
    Access.visible = everything  # type: ignore[method-assign]
    Principal.is_admin = property(taken_for_one)  # type: ignore[method-assign,assignment]


if __name__ == "__main__":
    take_out_the_filter(Path(os.environ[FLAG]))
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
