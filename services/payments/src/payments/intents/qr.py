"""A payment's QR code as an image."""

from __future__ import annotations

import asyncio
import io


async def svg(content: str, *, scale: int = 8) -> bytes:
    """scale: dots per module. Drawn in a thread: a few milliseconds of pure computing."""
    return await asyncio.to_thread(_draw, content, "svg", scale)


async def png(content: str, *, scale: int = 8) -> bytes:
    return await asyncio.to_thread(_draw, content, "png", scale)


def _draw(content: str, kind: str, scale: int) -> bytes:
    import segno  # noqa: PLC0415 - two megabytes that an idle process does not need

    image = io.BytesIO()
    # Level M survives a scratched screen and keeps the modules large enough for a till's display.
    segno.make(content, error="m", micro=False).save(image, kind=kind, scale=scale, border=4)
    return image.getvalue()
