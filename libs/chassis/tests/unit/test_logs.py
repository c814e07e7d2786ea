import pytest
from chassis.telemetry.logs import scrub


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("password", "hunter2"),
        ("access_token", "abc"),
        ("Authorization", "Bearer abcdefghij"),
        ("detail", "sent Authorization: Bearer abcdefghijk to"),
        ("url", "amqp://user:hunter2@127.0.0.1/"),
        ("detail", "eyJhbGciOiJFZDI1NTE5In0.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"),
        ("key", "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----"),
    ],
)
def test_secrets_do_not_leave(key: str, value: str) -> None:
    line = scrub(None, "info", {"event": "x", key: value})[key]
    for secret in ("hunter2", "abcdefghij", "eyJhbGciOi", "MIIB", "abc"):
        assert secret not in line


def test_the_rest_stays() -> None:
    event = {"event": "http.request", "route": "/api/v1/auth/login", "status": 200, "ms": 1.5}
    assert scrub(None, "info", dict(event)) == event
