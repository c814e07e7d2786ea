"""What others are told about branches."""

from __future__ import annotations

from typing import TypeVar

from contracts.events.auth import BranchCreated, BranchDeleted, BranchUpdated

from auth.branches.models import Branch

ChangeT = TypeVar("ChangeT", BranchCreated, BranchUpdated, BranchDeleted)


def of(event: type[ChangeT], branch: Branch) -> ChangeT:
    return event(
        aggregate_id=branch.id,
        aggregate_version=branch.version,
        business_id=branch.business_id,
        name=branch.name,
        is_active=branch.is_active,
    )
