from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from webhooks.endpoints.signing import headers, new_secret

BODY = '{"id":"1","name":"Peña"}'.encode()


def now() -> datetime:
    return datetime.now(UTC)


def test_the_specification_verifies_what_we_sign() -> None:
    secret = new_secret()

    assert Webhook(secret).verify(BODY, headers("msg-1", now(), BODY, [secret])) == {"id": "1", "name": "Peña"}


def test_during_a_rotation_both_secrets_verify() -> None:
    current, previous = new_secret(), new_secret()
    sent = headers("msg-1", now(), BODY, [current, previous])

    assert Webhook(current).verify(BODY, sent) == Webhook(previous).verify(BODY, sent)


def test_nothing_else_verifies() -> None:
    secret = new_secret()
    sent = headers("msg-1", now(), BODY, [secret])

    for other, body, changed in [
        (new_secret(), BODY, sent),
        (secret, BODY + b" ", sent),
        (secret, BODY, {**sent, "webhook-id": "msg-2"}),
        (secret, BODY, {**sent, "webhook-timestamp": str(int(sent["webhook-timestamp"]) + 1)}),
    ]:
        with pytest.raises(WebhookVerificationError):
            Webhook(other).verify(body, changed)


def test_the_specifications_own_example() -> None:
    at = datetime.fromtimestamp(1614265330, UTC)

    sent = headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}', ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
    )

    assert sent["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
