import re
from html.parser import HTMLParser

import pytest
from chassis.localization import Language
from notifications.channels.port import Channel, Content
from notifications.channels.segments import fits_one_segment
from notifications.messages.templates import Template, Templates, Wording

VALUES = {
    Template.RECEIPT: {"total": "$179.00", "number": "R-00000042", "date": "22 nov 2026, 19:15"},
    Template.PAYMENT_INCOMPLETE: {"total": "$179.00"},
    Template.PAYMENT_RECEIVED: {"amount": "$179.00", "method": "código QR", "date": "22 nov 2026, 19:15"},
    Template.PAYMENT_REFUNDED: {"amount": "$50.00", "date": "22 nov 2026, 19:15"},
    Template.STOCK_LOW: {"product": "Café de olla", "branch": "Centro", "on_hand": "3", "min_stock": "5"},
    Template.WEBHOOK_DISABLED: {"host": "hooks.example.com", "date": "22 nov 2026, 19:15 UTC"},
    Template.VERIFICATION: {"code": "012345", "minutes": "10"},
    Template.PASSWORD_RESET: {"code": "012345", "minutes": "10"},
    Template.WELCOME: {},
    Template.PASSWORD_CHANGED: {"date": "22 nov 2026, 19:15 UTC"},
    Template.KYC_APPROVED: {"level": "2"},
    Template.KYC_REJECTED: {"level": "2"},
    Template.MEMBER_ADDED: {"business": "Café Ñandú"},
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
