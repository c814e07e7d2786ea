"""The words of every message, per language, and their rendering.

`texts/<language>/<template>.toml` holds its parts as Jinja: `sms`, and for e-mail `subject`, `title`, `body` (its
paragraphs), `rows` and `button`; `common.toml` what all share. A code's `sms_brief` makes room for the line by which a
phone fills the code in. A push has the e-mail's title and the words of the SMS. `layouts/` lays an e-mail out. Parts
are rendered in a sandbox and as plain text, and escaped when the layout places them, so that nothing a merchant or
buyer typed can become markup.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from chassis.localization import Language
from jinja2 import BaseLoader, DictLoader, StrictUndefined, select_autoescape
from jinja2.sandbox import ImmutableSandboxedEnvironment

from notifications.channels.port import IMAGE_ID, Channel, Content
from notifications.channels.segments import fits_one_segment
from notifications.preferences.branding import COBRO, Branding

_MAX_VALUE = 120
_COBRO = "Cobro"


class Template(StrEnum):
    RECEIPT = "receipt"
    PAYMENT_INCOMPLETE = "payment_incomplete"
    PAYMENT_RECEIVED = "payment_received"
    PAYMENT_REFUNDED = "payment_refunded"
    SALE_REFUNDED = "sale_refunded"
    CASH_DIFFERENCE = "cash_difference"
    INVOICE_FAILED = "invoice_failed"
    STOCK_LOW = "stock_low"
    WEBHOOK_DISABLED = "webhook_disabled"
    VERIFICATION = "verification"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - the name of a message
    WELCOME = "welcome"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of a message
    KYC_APPROVED = "kyc_approved"
    KYC_REJECTED = "kyc_rejected"
    MEMBER_ADDED = "member_added"
    WEEKLY_SUMMARY = "weekly_summary"


@dataclass(frozen=True, slots=True)
class Wording:
    """`values` fill the placeholders, already as the reader reads them; link is where the e-mail's button leads.

    shop: in whose name; empty where Cobro speaks for itself. rows: more lines of the e-mail's table, label and value.
    unsubscribe: where the reader switches this kind of message off, empty where nobody can. autofill: the last line of
    a code's SMS, in the format of WebOTP ("@example.com #123456"). image: a PNG in base64 which the e-mail
    shows; image_alt says it in words.
    """

    template: Template
    language: Language
    shop: str
    values: Mapping[str, str]
    link: str = ""
    autofill: str = ""
    rows: Sequence[tuple[str, str]] = ()
    unsubscribe: str = ""
    branding: Branding = COBRO
    image: str = field(default="", repr=False)
    image_alt: str = ""


class Templates:
    """Reads each text on first use and keeps it."""

    def __init__(self) -> None:
        self._plain = ImmutableSandboxedEnvironment(
            loader=BaseLoader(),
            undefined=StrictUndefined,
            autoescape=False,
        )
        self._layouts = ImmutableSandboxedEnvironment(
            loader=DictLoader({name: _read("layouts", name) for name in ("email.html", "email.txt")}),
            undefined=StrictUndefined,
            autoescape=select_autoescape(["html"]),
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def method(self, language: Language, name: str) -> str:
        """A payment method in the reader's words."""
        methods: Mapping[str, str] = text_of(language, "common")["methods"]
        return methods.get(name, name)

    def part(self, template: Template, language: Language, name: str, values: Mapping[str, str]) -> str:
        """One part by itself, such as the line of an item, to be put into a Wording."""
        lines = {key: _one_line(value) for key, value in values.items()}
        return self._plain.from_string(text_of(language, template.value)[name]).render(lines).strip()

    def render(self, wording: Wording, channel: Channel) -> Content:
        """Raises jinja2.UndefinedError when a text asks for a value it was not given."""
        common, parts = text_of(wording.language, "common"), text_of(wording.language, wording.template.value)
        named = {**wording.values, "shop": wording.shop or _COBRO}
        values = {name: _one_line(value) for name, value in named.items()}
        values["link"] = wording.link

        def fill(text: str) -> str:
            return self._plain.from_string(text).render(values).strip()

        if channel is Channel.SMS:
            return Content(text=_sms(parts, fill, wording.autofill))
        if channel is Channel.PUSH:
            return Content(text=fill(parts["sms"]), subject=_one_line(fill(parts["title"])))
        rows = [(fill(row["label"]), fill(row["value"])) for row in parts.get("rows", [])]
        shown = {
            "language": wording.language.value,
            "shop": values["shop"],
            "title": fill(parts["title"]),
            "paragraphs": [fill(text) for text in parts["body"]],
            "rows": rows + [(_one_line(label), _one_line(value)) for label, value in wording.rows],
            "button": fill(parts["button"]) if wording.link and "button" in parts else "",
            "link": wording.link,
            "footer": fill(common["footer"]["text" if wording.shop else "own"]),
            "unsubscribe": wording.unsubscribe,
            "unsubscribe_label": common["footer"]["unsubscribe"],
            "color": wording.branding.color,
            "on_color": wording.branding.on_color,
            "image": IMAGE_ID if wording.image else "",
            "image_alt": wording.image_alt,
            "logo": wording.branding.logo_url,
        }
        return Content(
            subject=_one_line(fill(parts["subject"])),
            text=self._layouts.get_template("email.txt").render(shown),
            html=self._layouts.get_template("email.html").render(shown),
            sender_name=values["shop"],
            unsubscribe=wording.unsubscribe,
            image=wording.image,
        )


def _sms(parts: Mapping[str, Any], fill: Callable[[str], str], autofill: str) -> str:
    """The fullest text that leaves room for the line, which is for convenience and not worth a second segment."""
    for part in ("sms", "sms_brief") if autofill else ():
        text = f"{fill(parts[part])}\n{autofill}"
        if fits_one_segment(text):
            return text
    return fill(parts["sms"])


@cache
def text_of(language: Language, name: str) -> Mapping[str, Any]:
    """The parts of a template, or `common`."""
    return tomllib.loads(_read("texts", language.value, f"{name}.toml"))


def _read(*path: str) -> str:
    return resources.files("notifications.messages").joinpath(*path).read_text(encoding="utf-8")


def _one_line(value: str) -> str:
    """A value cannot add a line, and with it a header or a paragraph of its own."""
    line = " ".join("".join(character if character.isprintable() else " " for character in value).split())
    return line if len(line) <= _MAX_VALUE else f"{line[: _MAX_VALUE - 1]}…"
