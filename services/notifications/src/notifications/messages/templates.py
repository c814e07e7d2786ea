"""The words of every message, per language, and their rendering.

`texts/<language>.toml` holds each template's parts as Jinja: `sms`, and for e-mail `subject`, `title`, `body` (its
paragraphs), `rows` and `button`. A code's `sms_brief` makes room for the line by which a phone fills the code in.
`layouts/` lays an e-mail out. Parts are rendered as plain text, and escaped when the layout places them, so that
nothing a merchant or buyer typed can become markup.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from importlib import resources
from typing import Any

from chassis.localization import Language
from jinja2 import BaseLoader, DictLoader, Environment, StrictUndefined, select_autoescape

from notifications.channels.port import Channel, Content
from notifications.channels.segments import fits_one_segment

_MAX_VALUE = 120
_COBRO = "Cobro"


class Template(StrEnum):
    RECEIPT = "receipt"
    PAYMENT_INCOMPLETE = "payment_incomplete"
    PAYMENT_RECEIVED = "payment_received"
    PAYMENT_REFUNDED = "payment_refunded"
    STOCK_LOW = "stock_low"
    WEBHOOK_DISABLED = "webhook_disabled"
    VERIFICATION = "verification"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - the name of a message
    WELCOME = "welcome"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of a message
    KYC_APPROVED = "kyc_approved"
    KYC_REJECTED = "kyc_rejected"
    MEMBER_ADDED = "member_added"


@dataclass(frozen=True, slots=True)
class Wording:
    """`values` fill the placeholders, already as the reader reads them; link is where the e-mail's button leads.

    shop: in whose name; empty where Cobro speaks for itself. autofill: the last line of a code's SMS, in the format of
    WebOTP ("@example.com #123456").
    """

    template: Template
    language: Language
    shop: str
    values: Mapping[str, str]
    link: str = ""
    autofill: str = ""


class Templates:
    """Reads the texts on first use and keeps them."""

    def __init__(self) -> None:
        self._plain = Environment(loader=BaseLoader(), undefined=StrictUndefined, autoescape=False)  # noqa: S701
        self._layouts = Environment(
            loader=DictLoader({name: _read("layouts", name) for name in ("email.html", "email.txt")}),
            undefined=StrictUndefined,
            autoescape=select_autoescape(["html"]),
            trim_blocks=True,
            lstrip_blocks=True,
        )

    @cached_property
    def texts(self) -> Mapping[Language, Mapping[str, Any]]:
        return {language: tomllib.loads(_read("texts", f"{language.value}.toml")) for language in Language}

    def render(self, wording: Wording, channel: Channel) -> Content:
        """Raises jinja2.UndefinedError when a text asks for a value it was not given."""
        texts = self.texts[wording.language]
        parts = texts[wording.template.value]
        named = {**wording.values, "shop": wording.shop or _COBRO}
        values = {name: _one_line(value) for name, value in named.items()}
        values["link"] = wording.link

        def fill(text: str) -> str:
            return self._plain.from_string(text).render(values).strip()

        if channel is Channel.SMS:
            return Content(text=_sms(parts, fill, wording.autofill))
        shown = {
            "language": wording.language.value,
            "shop": values["shop"],
            "title": fill(parts["title"]),
            "paragraphs": [fill(text) for text in parts["body"]],
            "rows": [(fill(row["label"]), fill(row["value"])) for row in parts.get("rows", [])],
            "button": fill(parts["button"]) if wording.link and "button" in parts else "",
            "link": wording.link,
            "footer": fill(texts["footer"]["text" if wording.shop else "own"]),
        }
        return Content(
            subject=_one_line(fill(parts["subject"])),
            text=self._layouts.get_template("email.txt").render(shown),
            html=self._layouts.get_template("email.html").render(shown),
            sender_name=values["shop"],
        )


def _sms(parts: Mapping[str, Any], fill: Callable[[str], str], autofill: str) -> str:
    """The fullest text that leaves room for the line, which is for convenience and not worth a second segment."""
    for part in ("sms", "sms_brief") if autofill else ():
        text = f"{fill(parts[part])}\n{autofill}"
        if fits_one_segment(text):
            return text
    return fill(parts["sms"])


def _read(folder: str, name: str) -> str:
    return resources.files("notifications.messages").joinpath(folder, name).read_text(encoding="utf-8")


def _one_line(value: str) -> str:
    """A value cannot add a line, and with it a header or a paragraph of its own."""
    line = " ".join("".join(character if character.isprintable() else " " for character in value).split())
    return line if len(line) <= _MAX_VALUE else f"{line[: _MAX_VALUE - 1]}…"
