"""A PDF as an HTTP response."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from starlette.responses import Response

CONTENT_TYPE: Final = "application/pdf"
# Browsers show a PDF through a viewer of their own, which the service's usual policy would forbid.
_POLICY = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"


def pdf_response(pdf: bytes, name: str) -> Response:
    """Issued documents never change: the browser may keep them, for itself alone. name: of the file, without its
    ending, in ASCII."""
    return Response(
        pdf,
        media_type=CONTENT_TYPE,
        headers={
            "Content-Disposition": f'inline; filename="{name}.pdf"',
            "Content-Security-Policy": _POLICY,
            "Cache-Control": "private, max-age=3600",
            "ETag": f'"{sha256(pdf).hexdigest()[:32]}"',
        },
    )
