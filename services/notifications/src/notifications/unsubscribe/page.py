"""The page behind the link, for people. It runs nothing, and reaches nothing but this service."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Final

from chassis.localization import Language
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from notifications.messages.classes import EventClass
from notifications.messages.templates import text_of
from notifications.unsubscribe.service import Subscription

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


def rendered(subscription: Subscription, *, done: bool) -> str:
    words = text_of(subscription.language, "unsubscribe")
    kind = _kind(subscription.language, subscription.kind)
    values = {"shop": subscription.shop or "Cobro", "kind": kind}
    environment = _environment()
    return environment.from_string(_layout()).render(
        language=subscription.language.value,
        title=words["done_title" if done else "title"],
        text=environment.from_string(words["done" if done else "text"]).render(values),
        button="" if done else words["button"],
    )


def _kind(language: Language, kind: EventClass) -> str:
    return str(text_of(language, "unsubscribe")["kinds"][kind.value])


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=True)


@cache
def _layout() -> str:
    return resources.files("notifications.unsubscribe").joinpath("page.html").read_text(encoding="utf-8")
