"""The page behind a printed code: HTML without scripts, everything escaped."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from typing import Final
from uuid import UUID

from chassis.localization import Language
from psp.provider import Bank
from starlette.responses import HTMLResponse

from payments.counter.form import BY_BANK
from payments.counter.payer import PayerForm
from payments.counter.texts import TEXTS, Texts

_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:18px/1.5 system-ui,sans-serif;max-width:26rem;margin:2rem auto;padding:0 1rem}"
    "h1{font-size:1.4rem;margin:0}p{margin:.5rem 0 1rem}label{display:block;margin:1rem 0 .25rem}"
    "input,select{font:inherit;width:100%;box-sizing:border-box;padding:.7rem;border:1px solid #8888;"
    "border-radius:.6rem}"
    ".amount{font-size:2.2rem;font-weight:600}.quiet{opacity:.7}.problem{color:#c62828;font-weight:600}"
    "button{font:inherit;width:100%;margin-top:1.5rem;padding:.9rem;border:0;border-radius:.6rem;background:#1a7f4b;"
    "color:#fff}details{margin-top:1.5rem}summary{cursor:pointer}"
    "nav{margin-top:2rem;font-size:.9rem}nav a{margin-right:1rem}"
)
_STYLE_HASH: Final = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()
_NAMES: Final = {Language.ES: "Español", Language.PT: "Português", Language.EN: "English"}


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows. due: the amount of the sale that is open, as text, and payment_id its payment; the buyer
    enters the amount where there is none. token: makes a repeated submission the same one. amount, note: as entered.
    problem: what was wrong with what was sent. banks: from which the buyer may pay at once, which needs payer, of whom
    document_types are the kinds of document."""

    language: Language
    business: str
    name: str
    description: str | None
    currency: str
    token: str
    due: str | None = None
    payment_id: UUID | None = None
    amount: str = ""
    note: str = ""
    problem: str | None = None
    banks: tuple[Bank, ...] = ()
    payer: PayerForm | None = None
    document_types: tuple[str, ...] = ()


def pay_page(view: View, *, secure: bool, status: int = 200) -> HTMLResponse:
    """secure: whether everything is https."""
    texts = TEXTS[view.language]
    lines = [
        f"<h1>{escape(view.business)}</h1>",
        f'<p class="quiet">{escape(view.name)}{f" · {escape(view.description)}" if view.description else ""}</p>',
        f'<p class="problem" role="alert">{escape(view.problem)}</p>' if view.problem else "",
        '<form method="post" autocomplete="off">',
        _hidden("token", view.token),
        _hidden("lang", view.language.value),
    ]
    if view.due is not None and view.payment_id is not None:
        lines += [
            f'<p>{texts.to_pay}<br><span class="amount">{escape(view.due)}</span></p>',
            _hidden("payment", str(view.payment_id)),
        ]
    else:
        lines += [
            f'<label for="amount">{texts.amount} ({escape(view.currency)})</label>',
            '<input id="amount" name="amount" inputmode="decimal" required maxlength="16"'
            f' value="{escape(view.amount, quote=True)}">',
            f'<label for="note">{texts.note} <span class="quiet">({texts.optional})</span></label>',
            f'<input id="note" name="note" maxlength="80" value="{escape(view.note, quote=True)}">',
        ]
    lines += [f"<button>{texts.pay}</button>", _by_bank(texts, view) if view.banks else "", "</form>"]
    lines.append(_languages(view.language))
    return _html(view.language, view.business, "".join(lines), secure=secure, status=status)


def gone_page(language: Language, *, secure: bool) -> HTMLResponse:
    texts = TEXTS[language]
    body = f"<h1>{texts.gone}</h1><p>{texts.gone_hint}</p>"
    return _html(language, texts.gone, body, secure=secure, status=404)


def _html(language: Language, title: str, body: str, *, secure: bool, status: int) -> HTMLResponse:
    # Browsers hold a form's redirects against form-action too, and the provider's page is elsewhere.
    onward = "https:" if secure else "https: http:"
    return HTMLResponse(
        f'<!doctype html><html lang="{language.value}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>{body}</main></body></html>",
        status_code=status,
        headers={
            "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none';"
            f" form-action 'self' {onward}; frame-ancestors 'none'",
            "Cache-Control": "no-store",
        },
    )


def _by_bank(texts: Texts, view: View) -> str:
    """Folded away until it is wanted; its own button says that it is."""
    payer = view.payer or PayerForm()
    banks = [("", texts.choose), *((bank.code, bank.name) for bank in view.banks)]
    people = [("N", texts.natural), ("J", texts.company)]
    fields = [
        _select("bank", texts.bank, banks, payer.bank),
        _select("personType", texts.person, people, payer.person_type),
        _input("name", texts.name, payer.name, 'autocomplete="name" maxlength="120"'),
        _input("email", texts.email, payer.email, 'type="email" autocomplete="email" maxlength="254"'),
        _input("phone", texts.phone, payer.phone, 'type="tel" autocomplete="tel" maxlength="20"'),
        _select("documentType", texts.document, [(kind, kind) for kind in view.document_types], payer.document_type),
        _input("documentNumber", texts.document_number, payer.document_number, 'maxlength="20"'),
    ]
    unfolded = " open" if view.payer else ""
    return (
        f'<details{unfolded}><summary>{texts.by_bank}</summary><p class="quiet">{texts.by_bank_hint}</p>'
        f'{"".join(fields)}<button name="way" value="{BY_BANK}">{texts.go_to_bank}</button></details>'
    )


def _input(name: str, label: str, value: str, attributes: str) -> str:
    entered = escape(value, quote=True)
    return f'<label for="{name}">{label}</label><input id="{name}" name="{name}" {attributes} value="{entered}">'


def _select(name: str, label: str, options: list[tuple[str, str]], chosen: str) -> str:
    listed = "".join(
        f'<option value="{escape(value, quote=True)}"{" selected" if value == chosen else ""}>{escape(text)}</option>'
        for value, text in options
    )
    return f'<label for="{name}">{label}</label><select id="{name}" name="{name}">{listed}</select>'


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value, quote=True)}">'


def _languages(current: Language) -> str:
    links = [
        f'<a href="?lang={language.value}" lang="{language.value}" hreflang="{language.value}">{name}</a>'
        for language, name in _NAMES.items()
        if language is not current
    ]
    return f"<nav>{''.join(links)}</nav>"
