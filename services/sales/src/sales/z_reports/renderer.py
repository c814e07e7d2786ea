"""Drawing off the event loop, and nothing of reportlab loaded before the first report."""

from __future__ import annotations

from chassis.localization import Formatter, Language
from chassis.pdf.thread import DrawingThread, Format, RenderingFailed
from kernel import Country

from sales.z_reports.content import content_of
from sales.z_reports.document import ZReport
from sales.z_reports.labels import labels_of


class Renderer(DrawingThread):
    async def pdf(self, report: ZReport, layout: Format, language: Language) -> bytes:
        """The PDF's bytes: the same at every call. Raises RenderingFailed."""
        return await self.run(render, report, layout, language)


def render(report: ZReport, layout: Format, language: Language) -> bytes:
    # reportlab costs 25 MiB that an idle process need not hold.
    from chassis.pdf import drawing  # noqa: PLC0415

    from sales.z_reports import a4, ticket  # noqa: PLC0415

    drawing.load_fonts()
    labels = labels_of(language)
    content = content_of(report, labels, Formatter(language, Country(report.country)))
    try:
        match layout:
            case Format.TICKET:
                return ticket.render(content)
            case Format.A4:
                return a4.render(content, labels.page)
    except Exception as error:
        # reportlab raises whatever comes to hand; its messages quote the text, so only the kind of error is told.
        raise RenderingFailed(type(error).__name__) from error
