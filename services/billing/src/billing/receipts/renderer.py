"""Rendering off the event loop, one document at a time, and nothing of it loaded before the first one."""

from __future__ import annotations

from chassis.localization import Formatter, Language
from chassis.pdf.thread import DrawingThread, Format, RenderingFailed

from billing.receipts.document import ReceiptDocument
from billing.receipts.labels import labels_of


class Renderer(DrawingThread):
    async def pdf(self, document: ReceiptDocument, layout: Format, language: Language) -> bytes:
        """The PDF's bytes: the same at every call. Raises RenderingFailed."""
        return await self.run(render, document, layout, language)


def render(document: ReceiptDocument, layout: Format, language: Language) -> bytes:
    # reportlab costs 25 MiB that an idle process need not hold.
    from chassis.pdf import drawing  # noqa: PLC0415

    from billing.receipts import a4, ticket  # noqa: PLC0415

    drawing.load_fonts()
    labels, formatter = labels_of(language), Formatter(language, document.country)
    try:
        match layout:
            case Format.TICKET:
                return ticket.render(document, labels, formatter)
            case Format.A4:
                return a4.render(document, labels, formatter)
    except Exception as error:
        # reportlab raises whatever comes to hand; its messages quote the text, so only the kind of error is told.
        raise RenderingFailed(type(error).__name__) from error
