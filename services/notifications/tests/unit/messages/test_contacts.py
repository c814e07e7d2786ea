import pytest
from notifications.channels.port import Channel
from notifications.messages.contacts import Contact
from notifications.messages.masking import masked


@pytest.mark.parametrize(
    "phone", ["", "5512345678", "+0123456789", "+52 55 1234", "+" + "1" * 30, "+5255x", "+٥٢٥٥١٢٣٤"]
)
def test_a_number_that_is_none_is_not_written_to(phone: str) -> None:
    assert Contact(phone=phone).by_channel() == {}


@pytest.mark.parametrize(
    "email", ["", "ana", "ana@", "@example.com", "ana@example", "a b@example.com", "a@b.com\nBcc: x@y.com", "a,b@c.de"]
)
def test_an_address_that_is_none_is_not_written_to(email: str) -> None:
    assert Contact(email=email).by_channel() == {}


def test_email_comes_first() -> None:
    found = Contact(phone="+525512345678", email=" ana@example.com ").by_channel()

    assert list(found.items()) == [(Channel.EMAIL, "ana@example.com"), (Channel.SMS, "+525512345678")]


def test_a_contact_does_not_print_itself() -> None:
    assert "5512" not in repr(Contact(phone="+525512345678", email="ana@example.com"))


@pytest.mark.parametrize(
    ("recipient", "channel", "shown"),
    [
        ("+525512345678", Channel.SMS, "+52••••••5678"),
        ("ana@example.com", Channel.EMAIL, "a•••@example.com"),
        ("@x.com", Channel.EMAIL, "•••@x.com"),
        ("+123", Channel.SMS, "•••"),
        ("fcm-token-of-a-device-4f2a", Channel.PUSH, "•••4f2a"),
    ],
)
def test_recipients_are_masked(recipient: str, channel: Channel, shown: str) -> None:
    assert masked(recipient, channel) == shown
