"""Responses about one's own memberships."""

from __future__ import annotations

from uuid import UUID

from chassis.auth import BusinessRole
from chassis.http.schemas import ResponseModel, UtcDatetime

from auth.members.status import MemberStatus


class MembershipResponse(ResponseModel):
    """id: of the member, as the business knows it. branch_ids: an employee's; an owner has all and lists none."""

    id: UUID
    business_id: UUID
    business_name: str
    role: BusinessRole
    branch_ids: list[UUID]
    status: MemberStatus
    created_at: UtcDatetime
    updated_at: UtcDatetime
