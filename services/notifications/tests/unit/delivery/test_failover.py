from dataclasses import dataclass

import pytest
from notifications.delivery.failover import candidates


@dataclass(frozen=True)
class Provider:
    provider: str


FIRST, SECOND = Provider("first"), Provider("second")


@pytest.mark.parametrize(
    ("asked", "attempts", "unanswered", "expected"),
    [
        (None, 0, 0, [FIRST, SECOND]),
        # The second was asked and did not take it either: it has certainly not left.
        ("second", 0, 0, [FIRST, SECOND]),
        # A 5xx or a silence: only whoever may have sent it is asked again.
        ("first", 1, 0, [FIRST]),
        ("second", 1, 0, [SECOND]),
        ("first", 0, 1, [FIRST]),
        ("second", 0, 1, [SECOND]),
        # The sender died before another than the first was asked.
        (None, 0, 1, [FIRST]),
        # Whoever may have sent it is configured no more.
        ("third", 0, 1, []),
    ],
)
def test_a_message_that_may_have_left_stays_with_its_provider(
    asked: str | None, attempts: int, unanswered: int, expected: list[Provider]
) -> None:
    found = candidates([FIRST, SECOND], asked=asked, attempts=attempts, unanswered=unanswered)  # type: ignore[type-var]

    assert list(found) == expected
