"""The Z-report of a closed session."""

from __future__ import annotations

from uuid import UUID

from chassis.auth import Principal
from chassis.localization import Language
from chassis.pdf.thread import Format

from sales.cash_registers.service import visible_register
from sales.cash_sessions import errors, repository
from sales.context import SalesContext
from sales.z_reports.document import ZReport


async def pdf_of(
    ctx: SalesContext, caller: Principal, register_id: UUID, session_id: UUID, layout: Format, language: Language
) -> tuple[bytes, str]:
    """The PDF and its number. It says what the closing said, whatever came later. Raises NotFound, Forbidden, Conflict
    (cash_session_open), RenderingFailed."""
    await visible_register(ctx, caller, register_id)
    async with ctx.database.read() as session:
        found = await repository.find(session, register_id, session_id)
    if found is None:
        raise errors.session_not_found()
    if found.report is None:
        raise errors.session_open()
    report = ZReport.model_validate(found.report)
    return await ctx.z_reports.pdf(report, layout, language), report.number
