"""The audit log over REST."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.http.app import Caller
from chassis.http.pagination import Paging
from chassis.http.schemas import Page
from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from auth.audit import service
from auth.audit.actions import AuditAction
from auth.audit.schemas import AuditEntryResponse, AuditFilter
from auth.context import Ctx

router = APIRouter(prefix="/api/v1/audit-entries", tags=["audit"])

From = Annotated[AwareDatetime | None, Query(alias="from", description="Included")]
To = Annotated[AwareDatetime | None, Query(description="Excluded")]


@router.get("")
async def list_audit_entries(
    ctx: Ctx,
    caller: Caller,
    paging: Paging,
    business_id: Annotated[UUID | None, Query(alias="businessId", description="Needed but by administrators")] = None,
    actor_id: Annotated[UUID | None, Query(alias="actorId")] = None,
    subject_id: Annotated[UUID | None, Query(alias="subjectId")] = None,
    action: AuditAction | None = None,
    since: From = None,
    to: To = None,
) -> Page[AuditEntryResponse]:
    """Who changed what, when and from where; newest first. An owner reads what concerns their business."""
    wanted = AuditFilter(business_id, actor_id, subject_id, action, since, to)
    return await service.list_page(ctx, caller, paging, wanted)
