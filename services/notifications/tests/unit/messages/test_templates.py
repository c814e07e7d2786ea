import re
from html.parser import HTMLParser

import pytest
from chassis.localization import Language
from notifications.channels.port import Channel, Content
from notifications.messages.templates import Template, Templates, Wording

VALUES = {
    Template.RECEIPT: {"total": "$179.00", "number": "R-00000042", "date": "22 nov 2026, 19:15"},
    Template.PAYMENT_INCOMPLETE: {"total": "$179.00"},
    Template.PAYMENT_RECEIVED: {"amount": "$179.00", "method": "código QR", "date": "22 nov 2026, 19:15"},
    Template.PAYMENT_REFUNDED: {"amount": "$50.00", "date": "22 nov 2026, 19:15"},
    Template.STOCK_LOW: {"product": "Café de olla", "branch": "Centro", "on_hand": "3", "min_stock": "5"},
}
EVERY = [(template, language) for template in Template for language in Language]
HOSTILE = "<script>alert('x')</script>\r\nBcc: all@example.com {{ 7*7 }} {% raw %} 💥\x00" + "W" * 10_000


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates()


def render(
    templates: Templates, template: Template, language: Language, channel: Channel, shop: str = "Lupita"
) -> Content:
    link = "https://cobro.example/r/1?key=a&b=c" if template is Template.RECEIPT else ""
    return templates.render(Wording(template, language, shop, VALUES[template], link), channel)


@pytest.mark.parametrize(("template", "language"), EVERY)
def test_every_message_in_every_language(templates: Templates, template: Template, language: Language) -> None:
    sms = render(templates, template, language, Channel.SMS)
    mail = render(templates, template, language, Channel.EMAIL)

    assert 20 < len(sms.text) <= 320
    assert "Lupita" in sms.text
    assert mail.subject
    assert "\n" not in mail.subject
    assert f'lang="{language.value}"' in mail.html
    for text in (sms.text, mail.subject, mail.text, mail.html):
        assert "{{" not in text
        assert "None" not in text
    for name, value in VALUES[template].items():
        assert value in mail.text, name
        assert value in mail.html, name


def placeholders(parts: object) -> list[str]:
    return sorted(set(re.findall(r"{{ \w+ }}", repr(parts))))


def test_every_language_has_the_same_texts(templates: Templates) -> None:
    spanish = templates.texts[Language.ES]
    assert set(spanish) == {*Template, "footer", "methods"}
    for texts in templates.texts.values():
        assert set(texts) == set(spanish)
        for name, parts in texts.items():
            assert set(parts) == set(spanish[name]), name
            assert placeholders(parts) == placeholders(spanish[name]), name


def test_the_link_is_whole_in_text_and_html(templates: Templates) -> None:
    mail = render(templates, Template.RECEIPT, Language.ES, Channel.EMAIL)

    assert "https://cobro.example/r/1?key=a&b=c" in mail.text
    assert 'href="https://cobro.example/r/1?key=a&amp;b=c"' in mail.html


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)


@pytest.mark.parametrize("language", Language)
def test_what_a_merchant_typed_never_becomes_markup_or_a_header(templates: Templates, language: Language) -> None:
    hostile = render(templates, Template.RECEIPT, language, Channel.EMAIL, shop=HOSTILE)
    plain = render(templates, Template.RECEIPT, language, Channel.EMAIL)

    tags, usual = _Tags(), _Tags()
    tags.feed(hostile.html)
    usual.feed(plain.html)
    assert tags.seen == usual.seen
    assert "{{ 7*7 }}" in hostile.text  # printed, not evaluated
    for header in (hostile.subject, hostile.sender_name):
        assert not re.search(r"[\r\n\x00]", header)
        assert len(header) < 400


def test_a_text_message_stays_short_whatever_the_name(templates: Templates) -> None:
    assert len(render(templates, Template.RECEIPT, Language.ES, Channel.SMS, shop=HOSTILE).text) < 400
