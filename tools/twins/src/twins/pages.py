"""The twins' HTML: one layout, everything escaped."""

from __future__ import annotations

from html import escape

from fastapi.responses import HTMLResponse

_LAYOUT = """<!doctype html>
<html lang="es"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: {width}; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.4rem; }} small, .quiet {{ color: #777; }}
table {{ border-collapse: collapse; width: 100%; }} td, th {{ text-align: left; padding: .4rem .6rem;
border-bottom: 1px solid #8884; vertical-align: top; }}
.card {{ border: 1px solid #8886; border-radius: 12px; padding: 1rem 1.25rem; margin: 1rem 0; }}
.amount {{ font-size: 2rem; font-weight: 600; }}
.tag {{ border: 1px solid #8886; border-radius: 99px; padding: 0 .6rem; font-size: .85rem; }}
button {{ font: inherit; padding: .6rem 1.2rem; border-radius: 8px; border: 1px solid #8886; cursor: pointer; }}
button.main {{ background: #1a7f4b; color: #fff; border-color: #1a7f4b; }}
form {{ display: inline; }} iframe {{ width: 100%; height: 24rem; border: 1px solid #8884; background: #fff; }}
pre {{ white-space: pre-wrap; margin: 0; font: inherit; }}
</style></head><body>{body}</body></html>"""


def page(title: str, body: str, *, width: str = "60rem", status: int = 200) -> HTMLResponse:
    """body: HTML whose values went through `text`."""
    return HTMLResponse(
        _LAYOUT.format(title=text(title), body=body, width=width),
        status_code=status,
        headers={
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self';"
            " form-action 'self'",
            "X-Content-Type-Options": "nosniff",
        },
    )


def text(value: object) -> str:
    return escape(str(value), quote=True)
