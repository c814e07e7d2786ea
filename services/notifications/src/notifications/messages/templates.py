"""The words of every message, per language, and their rendering.

`texts/<language>.toml` holds each template's parts as Jinja: `sms`, and for e-mail `subject`, `title`, `body` (its
paragraphs), `rows` and `button`. `layouts/` lays an e-mail out. Parts are rendered as plain text, and escaped when the
layout places them, so that nothing a merchant or buyer typed can become markup.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from importlib import resources
from typing import Any

from chassis.localization import Language
from jinja2 import BaseLoader, DictLoader, Environment, StrictUndefined, select_autoescape

from notifications.channels.port import Channel, Content

_MAX_VALUE = 120


class Template(StrEnum):
    RECEIPT = "receipt"
    PAYMENT_INCOMPLETE = "payment_incomplete"
    PAYMENT_RECEIVED = "payment_received"
    PAYMENT_REFUNDED = "payment_refunded"
    STOCK_LOW = "stock_low"


@dataclass(frozen=True, slots=True)
class Wording:
    """`values` fill the placeholders, already as the reader reads them; link is where the e-mail's button leads."""

    template: Template
    language: Language
    shop: str
    values: Mapping[str, str]
    link: str = ""


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
        values = {name: _one_line(value) for name, value in {**wording.values, "shop": wording.shop}.items()}
        values["link"] = wording.link

        def fill(text: str) -> str:
            return self._plain.from_string(text).render(values).strip()

        if channel is Channel.SMS:
            return Content(text=fill(parts["sms"]))
        shown = {
            "language": wording.language.value,
            "shop": values["shop"],
            "title": fill(parts["title"]),
            "paragraphs": [fill(text) for text in parts["body"]],
            "rows": [(fill(row["label"]), fill(row["value"])) for row in parts.get("rows", [])],
            "button": fill(parts["button"]) if wording.link and "button" in parts else "",
            "link": wording.link,
            "footer": fill(texts["footer"]["text"]),
        }
        return Content(
            subject=_one_line(fill(parts["subject"])),
            text=self._layouts.get_template("email.txt").render(shown),
            html=self._layouts.get_template("email.html").render(shown),
            sender_name=values["shop"],
        )


def _read(folder: str, name: str) -> str:
    return resources.files("notifications.messages").joinpath(folder, name).read_text(encoding="utf-8")


def _one_line(value: str) -> str:
    """A value cannot add a line, and with it a header or a paragraph of its own."""
    line = " ".join("".join(character if character.isprintable() else " " for character in value).split())
    return line if len(line) <= _MAX_VALUE else f"{line[: _MAX_VALUE - 1]}…"
