"""The page that sends a buyer's browser on to the provider's, or says why it does not. All text is escaped."""

from __future__ import annotations

import base64
from hashlib import sha256
from html import escape
from typing import Final
from urllib.parse import urlsplit

from chassis.localization import Language
from psp.provider import CheckoutForm
from starlette.responses import HTMLResponse

from payments.checkout.texts import TEXTS

_STYLE: Final = (
    ":root{color-scheme:light dark}body{font:18px/1.5 system-ui,sans-serif;max-width:26rem;margin:2rem auto;"
    "padding:0 1rem}h1{font-size:1.4rem;margin:0}p{margin:.5rem 0 1rem}"
    ".amount{font-size:2.2rem;font-weight:600}.quiet{opacity:.7}"
    "button{font:inherit;width:100%;margin-top:1rem;padding:.9rem;border:0;border-radius:.6rem;background:#1a7f4b;"
    "color:#fff}"
)
_AGAIN: Final = "10"  # seconds
# Without scripts there is still the button.
_SCRIPT: Final = "document.forms[0].submit()"


def leading_page(language: Language, business: str, amount: str, form: CheckoutForm) -> HTMLResponse:
    """Posts the form by itself, to nowhere but the provider."""
    texts = TEXTS[language]
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in form.fields.items()
    )
    body = (
        f'<h1>{escape(business)}</h1><p>{texts.to_pay}<br><span class="amount">{escape(amount)}</span></p>'
        f'<form method="post" action="{escape(form.action)}">{fields}<button>{texts.go}</button></form>'
        f'<p class="quiet">{texts.leading}</p><script>{_SCRIPT}</script>'
    )
    parts = urlsplit(form.action)
    policy = f"script-src {_hash(_SCRIPT)}; form-action {parts.scheme}://{parts.netloc}"
    return _html(language, business, body, policy=policy)


def paid_page(language: Language, business: str, amount: str, *, given_back: bool) -> HTMLResponse:
    texts = TEXTS[language]
    words = texts.refunded if given_back else texts.paid
    body = f'<h1>{escape(business)}</h1><p>{words}<br><span class="amount">{escape(amount)}</span></p>'
    return _html(language, business, body)


def waiting_page(language: Language, business: str, amount: str, bank_url: str | None) -> HTMLResponse:
    """For a buyer who is back from their bank before its word is; asks again by itself."""
    texts = TEXTS[language]
    back = f'<p><a href="{escape(bank_url)}" rel="noreferrer">{texts.back_to_bank}</a></p>' if bank_url else ""
    body = (
        f'<h1>{escape(business)}</h1><p>{texts.waiting}<br><span class="amount">{escape(amount)}</span></p>'
        f'<p class="quiet">{texts.waiting_hint}</p>{back}'
    )
    return _html(language, business, body, refresh=True)


def over_page(language: Language, business: str) -> HTMLResponse:
    texts = TEXTS[language]
    body = f"<h1>{escape(business)}</h1><p>{texts.over}</p><p>{texts.over_hint}</p>"
    return _html(language, business, body, status=410)


def gone_page(language: Language) -> HTMLResponse:
    texts = TEXTS[language]
    return _html(language, texts.gone, f"<h1>{texts.gone}</h1><p>{texts.gone_hint}</p>", status=404)


def _html(
    language: Language,
    title: str,
    body: str,
    *,
    policy: str = "form-action 'none'",
    status: int = 200,
    refresh: bool = False,
) -> HTMLResponse:
    return HTMLResponse(
        f'<!doctype html><html lang="{language.value}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>{body}</main></body></html>",
        status_code=status,
        headers={
            "Content-Security-Policy": f"default-src 'none'; style-src {_hash(_STYLE)}; base-uri 'none'; {policy};"
            " frame-ancestors 'none'",
            "Cache-Control": "no-store",
            **({"Refresh": _AGAIN} if refresh else {}),
        },
    )


def _hash(inline: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(inline.encode()).digest()).decode()}'"
