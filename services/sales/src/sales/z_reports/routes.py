"""REST: /api/v1/cash-registers/:id/sessions/:sid/report.pdf"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.http.app import Caller, context_of
from chassis.localization import Language
from chassis.pdf.response import CONTENT_TYPE, pdf_response
from chassis.pdf.thread import Format
from fastapi import APIRouter, Query
from starlette.responses import Response

from sales.context import SalesContext
from sales.z_reports import service

router = APIRouter(prefix="/api/v1/cash-registers", tags=["cash-registers"])

Ctx = Annotated[SalesContext, context_of(SalesContext)]


@router.get(
    "/{register_id}/sessions/{cash_session_id}/report.pdf",
    response_class=Response,
    responses={200: {"content": {CONTENT_TYPE: {}}, "description": "The Z-report"}},
)
async def get_report(
    register_id: UUID,
    cash_session_id: UUID,
    ctx: Ctx,
    caller: Caller,
    lang: Language = Language.ES,
    layout: Annotated[Format, Query(alias="format")] = Format.TICKET,
) -> Response:
    """The Z-report of a closed session as PDF, always the same. 409 `cash_session_open` before the closing."""
    return pdf_response(*await service.pdf_of(ctx, caller, register_id, cash_session_id, layout, lang))
