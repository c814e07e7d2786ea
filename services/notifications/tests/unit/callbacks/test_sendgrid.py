import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel import InvalidInput, new_id
from notifications.callbacks.sendgrid import is_signed, public_key, reports
from notifications.delivery.progress import DeliveryStatus

# The example that SendGrid's own libraries are tested with.
KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4CwrqDqBaWjcMMsTbhdbcwHBcepxo7yAQGhHPTnlvFYPAZFceEu"
    "/1FwCM/QmGUhA=="
)
SIGNATURE = "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH2j/0="
BODY = b'{"category":"example_payload","event":"test_event","message_id":"message_id"}'


def test_the_published_example_verifies() -> None:
    assert is_signed(public_key(KEY), BODY, signature=SIGNATURE, timestamp="1588788367")


@pytest.mark.parametrize(
    ("body", "signature", "timestamp"),
    [
        (BODY + b" ", SIGNATURE, "1588788367"),
        (BODY, SIGNATURE, "1588788368"),
        (BODY, SIGNATURE[:-8] + "AAAAAAA=", "1588788367"),
        (BODY, "", ""),
        (BODY, "ñ", "\ud800"),
    ],
    ids=["body", "timestamp", "signature", "none", "no base64"],
)
def test_anything_else_does_not(body: bytes, signature: str, timestamp: str) -> None:
    assert not is_signed(public_key(KEY), body, signature=signature, timestamp=timestamp)


@pytest.mark.parametrize("text", ["", "ñ", "AAAA", "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="])
def test_what_is_no_such_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="key"):
        public_key(text)


def event(**changes: Any) -> dict[str, Any]:
    return {
        "notification_id": str(new_id()),
        "event": "delivered",
        "sg_event_id": "e1",
        "sg_message_id": "m1.filter1",
        "email": "ana@example.com",
        "timestamp": 1_700_000_000,
    } | changes


def test_a_bounce_is_recorded_without_what_the_server_said() -> None:
    said = event(event="bounce", status="5.1.1", reason="550 <ana@example.com> unknown")

    (found,) = reports(json.dumps([said]).encode())

    assert (found.status, found.answer) == (DeliveryStatus.UNDELIVERED, "bounce 5.1.1")
    assert found.provider_message_id == "m1"
    assert "ana@" not in repr(found)


def test_who_calls_it_spam_wants_no_more() -> None:
    (found,) = reports(json.dumps([event(event="spamreport")]).encode())

    assert (found.status, found.unwanted) == (DeliveryStatus.DELIVERED, True)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from(["bounce", "delivered"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(event())), inner, max_size=6),
    max_leaves=10,
)


@settings(max_examples=60)
@given(_JSON)
def test_whatever_is_signed_is_read_or_refused(body: Any) -> None:
    try:
        found = reports(json.dumps(body).encode())
    except InvalidInput:
        assert not isinstance(body, list)
    else:
        assert len(found) <= len(body)
