"""Which provider a message goes to: pure, because this is where a message could be sent twice.

The first provider of a channel is asked first. The next one is asked only when the one before has certainly not taken
the message: no connection, its circuit open, throttled, our credentials or our balance refused. After any other answer,
and after none, the message stays with the provider that was asked: what a 5xx or a silence left behind is not known,
and one message too late is better than the same one twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from notifications.channels.port import MessageChannel

ChannelT = TypeVar("ChannelT", bound=MessageChannel)


def candidates(
    providers: Sequence[ChannelT], *, asked: str | None, attempts: int, unanswered: int
) -> Sequence[ChannelT]:
    """The providers to ask, in order.

    asked: the name of the one asked last; None for none, or for a try that ended before another than the first was.
    attempts, unanswered: tries that may have sent the message. Empty where the one that may have is configured no more.
    """
    if not attempts and not unanswered:
        return providers
    if asked is None:
        return providers[:1]
    return [provider for provider in providers if provider.provider == asked]
