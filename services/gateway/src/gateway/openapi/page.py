"""`/docs`: Swagger UI over the merged document. Its files come with the package `swagger-ui-py`, none from outside."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

PAGE: Final = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Cobro API</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<noscript>This page needs JavaScript; the document itself is at <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
# Swagger UI puts style attributes on its elements and draws icons from data: URLs; scripts are ours alone.
_CSP: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS: Final = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", _CSP),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-cache"),
)
_START: Final = b"""window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "none",
  filter: true,
  persistAuthorization: false,
  tagsSorter: "alpha",
  validatorUrl: null,
});
"""
_FILES: Final = {
    "/docs/swagger-ui.css": b"text/css; charset=utf-8",
    "/docs/swagger-ui-bundle.js": b"text/javascript; charset=utf-8",
    "/docs/favicon-32x32.png": b"image/png",
}
_SCRIPT: Final = "/docs/start.js"
ASSETS: Final = (*_FILES, _SCRIPT)


@dataclass(frozen=True, slots=True)
class Asset:
    media_type: bytes
    body: bytes


async def asset(path: str) -> Asset:
    """One of ASSETS. Read from disk each time: 1.5 MB that nearly no process needs are not kept in memory."""
    if path == _SCRIPT:
        return Asset(b"text/javascript; charset=utf-8", _START)
    file = _static() / path.removeprefix("/docs/")
    return Asset(_FILES[path], await asyncio.to_thread(file.read_bytes))


def _static() -> Path:
    # Found and not imported: the package's code serves other frameworks, and brings a template engine along.
    spec = find_spec("swagger_ui")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the package swagger-ui-py is not installed")
    return Path(spec.submodule_search_locations[0]) / "static"
