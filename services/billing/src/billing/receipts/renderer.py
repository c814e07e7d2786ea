"""Rendering off the event loop, one document at a time, and nothing of it loaded before the first one."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum

from chassis.localization import Formatter, Language

from billing.receipts.document import ReceiptDocument
from billing.receipts.labels import labels_of


class Format(StrEnum):
    """TICKET: 80 mm, for the till's printer and a telephone's screen."""

    TICKET = "ticket"
    A4 = "a4"


class RenderingFailed(Exception):
    """The document cannot be drawn: trying again only helps after a change of ours."""


class Renderer:
    """One thread, so that rendering takes at most one core from answering requests. Close it at the end."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pdf")

    async def pdf(self, document: ReceiptDocument, layout: Format, language: Language) -> bytes:
        """The PDF's bytes: the same at every call. Raises RenderingFailed."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, render, document, layout, language)

    async def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)


def render(document: ReceiptDocument, layout: Format, language: Language) -> bytes:
    # reportlab costs 25 MiB that an idle process need not hold.
    from billing.receipts import a4, drawing, ticket  # noqa: PLC0415

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
