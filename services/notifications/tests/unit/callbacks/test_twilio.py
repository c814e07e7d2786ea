import pytest
from kernel import InvalidInput, new_id
from notifications.callbacks.twilio import fields_of, is_signed, report
from notifications.delivery.progress import DeliveryStatus

# The example that Twilio's own libraries are tested with.
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
BODY = b"CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212&Caller=%2B14158675309"
SIGNATURE = "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_the_published_example_verifies() -> None:
    assert is_signed(URL, fields_of(BODY), SIGNATURE, "12345")


@pytest.mark.parametrize(
    ("url", "body", "signature", "token"),
    [
        (URL + "3", BODY, SIGNATURE, "12345"),
        (URL, BODY + b"0", SIGNATURE, "12345"),
        (URL, BODY, SIGNATURE, "12346"),
        (URL, BODY, "", "12345"),
        (URL, BODY, "ñ\ud800", "12345"),
    ],
    ids=["address", "field", "secret", "none", "surrogate"],
)
def test_anything_else_does_not(url: str, body: bytes, signature: str, token: str) -> None:
    assert not is_signed(url, fields_of(body), signature, token)


@pytest.mark.parametrize("body", [b"\xff", b"&".join([b"a=1"] * 101)], ids=["bytes", "many"])
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        fields_of(body)


@pytest.mark.parametrize(
    ("status", "code", "expected", "answer"),
    [
        ("sent", "", DeliveryStatus.ACCEPTED, "sent"),
        ("delivered", "", DeliveryStatus.DELIVERED, "delivered"),
        ("undelivered", "30003", DeliveryStatus.UNDELIVERED, "undelivered 30003"),
        ("failed", "<b>", DeliveryStatus.UNDELIVERED, "failed"),
    ],
)
def test_what_is_reported(status: str, code: str, expected: DeliveryStatus, answer: str) -> None:
    found = report(new_id(), [("MessageSid", "SM1"), ("MessageStatus", status), ("ErrorCode", code)])

    assert found is not None
    assert (found.status, found.answer, found.event_id) == (expected, answer, f"SM1:{status}")


@pytest.mark.parametrize(
    "fields", [[], [("MessageStatus", "sent")], [("MessageSid", "\x00"), ("MessageStatus", "sent")]]
)
def test_what_says_nothing_is_passed_over(fields: list[tuple[str, str]]) -> None:
    assert report(new_id(), fields) is None
