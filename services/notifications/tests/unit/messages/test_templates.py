import re
from html.parser import HTMLParser

import pytest
from chassis.localization import Language
from notifications.channels.port import Channel, Content
from notifications.channels.segments import fits_one_segment
from notifications.messages.classes import class_of
from notifications.messages.templates import Template, Templates, Wording, text_of
from notifications.preferences.branding import COBRO, Branding

VALUES = {
    Template.RECEIPT: {"total": "$179.00", "number": "R-00000042", "date": "22 nov 2026, 19:15"},
    Template.PAYMENT_INCOMPLETE: {"total": "$179.00"},
    Template.PAYMENT_RECEIVED: {"amount": "$179.00", "method": "código QR", "date": "22 nov 2026, 19:15"},
    Template.PAYMENT_REFUNDED: {"amount": "$50.00", "date": "22 nov 2026, 19:15"},
    Template.SALE_REFUNDED: {"amount": "$50.00", "date": "22 nov 2026, 19:15"},
    Template.CASH_DIFFERENCE: {
        "register": "Caja 1",
        "branch": "Centro",
        "expected": "$1,200.00",
        "counted": "$1,080.00",
        "difference": "-$120.00",
        "date": "22 nov 2026, 22:05",
    },
    Template.INVOICE_FAILED: {"number": "A-00000042", "total": "$179.00"},
    Template.STOCK_LOW: {"product": "Café de olla", "count": "7"},
    Template.WEBHOOK_DISABLED: {"host": "hooks.example.com", "date": "22 nov 2026, 19:15 UTC"},
    Template.VERIFICATION: {"code": "012345", "minutes": "10"},
    Template.PASSWORD_RESET: {"code": "012345", "minutes": "10"},
    Template.WELCOME: {},
    Template.PASSWORD_CHANGED: {"date": "22 nov 2026, 19:15 UTC"},
    Template.KYC_APPROVED: {"level": "2"},
    Template.KYC_REJECTED: {"level": "2"},
    Template.MEMBER_ADDED: {"business": "Café Ñandú"},
    Template.WEEKLY_SUMMARY: {
        "first": "12 ene 2026",
        "last": "18 ene 2026",
        "revenue": "$67,845.50",
        "sales": "412",
        "ticket": "$164.67",
        "change": "+13.6%",
        "refunds": "$301.00",
        "cash": "-$12.50",
        "best_day": "sáb 17",
        "hour": "18:00",
    },
}
CODES = [Template.VERIFICATION, Template.PASSWORD_RESET]
# What Cobro says to its own accounts, in no shop's name.
ACCOUNT = {
    *CODES,
    Template.WELCOME,
    Template.PASSWORD_CHANGED,
    Template.KYC_APPROVED,
    Template.KYC_REJECTED,
    Template.MEMBER_ADDED,
}
EVERY = [(template, language) for template in Template for language in Language]
HOSTILE = "<script>alert('x')</script>\r\nBcc: all@example.com {{ 7*7 }} {% raw %} 💥\x00" + "W" * 10_000


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates()


def render(
    templates: Templates, template: Template, language: Language, channel: Channel, shop: str = "Lupita"
) -> Content:
    shop = "" if template in ACCOUNT else shop
    link = "https://cobro.example/r/1?key=a&b=c" if template is Template.RECEIPT else ""
    return templates.render(Wording(template, language, shop, VALUES[template], link), channel)


@pytest.mark.parametrize(("template", "language"), EVERY)
def test_every_message_in_every_language(templates: Templates, template: Template, language: Language) -> None:
    sms = render(templates, template, language, Channel.SMS)
    mail = render(templates, template, language, Channel.EMAIL)
    push = render(templates, template, language, Channel.PUSH)

    assert (push.text, push.html) == (sms.text, "")
    assert push.subject
    assert 20 < len(sms.text) <= 320
    speaker = "Cobro" if template in ACCOUNT else "Lupita"
    assert speaker in sms.text
    assert mail.sender_name == speaker
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


@pytest.mark.parametrize("name", [*(template.value for template in Template), "common", "unsubscribe"])
def test_every_language_has_the_same_texts(name: str) -> None:
    spanish = text_of(Language.ES, name)
    for language in Language:
        parts = text_of(language, name)
        assert set(parts) == set(spanish)
        assert placeholders(parts) == placeholders(spanish)


@pytest.mark.parametrize("language", Language)
def test_one_product_and_many(templates: Templates, language: Language) -> None:
    one = Wording(Template.STOCK_LOW, language, "Lupita", {"product": "Café de olla", "count": "1"})
    many = Wording(Template.STOCK_LOW, language, "Lupita", VALUES[Template.STOCK_LOW], rows=[("Té <b>", "3 / 5")])

    assert "1" not in templates.render(one, Channel.SMS).text
    assert "7" in templates.render(many, Channel.SMS).text
    assert "Té &lt;b&gt;" in templates.render(many, Channel.EMAIL).html


def test_a_business_has_its_own_look(templates: Templates) -> None:
    look = Branding("#ffd60a", "https://example.com/l.png?a=1&b=2")
    wording = Wording(Template.RECEIPT, Language.ES, "Lupita", VALUES[Template.RECEIPT], branding=look)

    html = templates.render(wording, Channel.EMAIL).html

    assert "background:#ffd60a;" in html
    assert "color:#1b2733;font-size:18px" in html  # dark on yellow
    assert '<img src="https://example.com/l.png?a=1&amp;b=2"' in html
    assert (COBRO.on_color, Branding("#000000").on_color, Branding("#ffffff").on_color) == (
        "#ffffff",
        "#ffffff",
        "#1b2733",
    )


def test_the_way_out_is_in_every_form(templates: Templates) -> None:
    link = "https://cobro.example/api/v1/unsubscribe/abc"
    wording = Wording(Template.RECEIPT, Language.ES, "Lupita", VALUES[Template.RECEIPT], unsubscribe=link)

    mail = templates.render(wording, Channel.EMAIL)

    assert (link in mail.text, f'href="{link}"' in mail.html, mail.unsubscribe) == (True, True, link)


@pytest.mark.parametrize("template", Template)
def test_every_message_is_of_a_kind(template: Template) -> None:
    kind = class_of(template)
    for language in Language:
        assert kind.mandatory or text_of(language, "unsubscribe")["kinds"][kind.value]


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


CODES_AND_LANGUAGES = [(template, language) for template in CODES for language in Language]


@pytest.mark.parametrize(("template", "language"), CODES_AND_LANGUAGES)
@pytest.mark.parametrize("minutes", ["1", "10"])
def test_a_code_by_sms_is_one_segment_that_begins_with_the_code(
    templates: Templates, template: Template, language: Language, minutes: str
) -> None:
    values = {"code": "012345", "minutes": minutes}

    text = templates.render(Wording(template, language, "", values), Channel.SMS).text

    assert text.startswith("012345 ")
    assert "\n" not in text
    assert fits_one_segment(text)
    assert re.search(r" (1 minut[oe]|10 minut[oe]s)\.", text)


@pytest.mark.parametrize(("template", "language"), CODES_AND_LANGUAGES)
def test_a_phone_can_fill_the_code_in(templates: Templates, template: Template, language: Language) -> None:
    """The format of WebOTP: the last line is the host and the code, and nothing else."""
    wording = Wording(template, language, "", VALUES[template], autofill="@cobro.mx #012345")

    text = templates.render(wording, Channel.SMS).text

    assert text.splitlines()[-1] == "@cobro.mx #012345"
    assert len(text.splitlines()) == 2
    assert fits_one_segment(text)


def test_convenience_is_not_worth_a_second_segment(templates: Templates) -> None:
    far = f"@{'a' * 60}.example #012345"
    wording = Wording(Template.VERIFICATION, Language.ES, "", VALUES[Template.VERIFICATION], autofill=far)

    text = templates.render(wording, Channel.SMS).text

    assert text == "012345 es tu código de Cobro. Vence en 10 minutos. No lo compartas."


@pytest.mark.parametrize(("template", "language"), CODES_AND_LANGUAGES)
def test_no_code_is_in_a_subject(templates: Templates, template: Template, language: Language) -> None:
    """Subjects are what mail servers write into their logs."""
    mail = templates.render(Wording(template, language, "", VALUES[template]), Channel.EMAIL)

    assert "012345" not in mail.subject
