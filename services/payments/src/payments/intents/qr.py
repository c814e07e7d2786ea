"""A payment's QR code as an image."""

from __future__ import annotations

import asyncio
import io


async def svg(content: str) -> bytes:
    """Drawn in a thread: a few milliseconds of pure computing."""
    return await asyncio.to_thread(_draw, content, "svg")


async def png(content: str) -> bytes:
    return await asyncio.to_thread(_draw, content, "png")


def _draw(content: str, kind: str) -> bytes:
    import segno  # noqa: PLC0415 - two megabytes that an idle process does not need

    image = io.BytesIO()
    # Level M survives a scratched screen and keeps the modules large enough for a till's display.
    segno.make(content, error="m", micro=False).save(image, kind=kind, scale=8, border=4)
    return image.getvalue()
