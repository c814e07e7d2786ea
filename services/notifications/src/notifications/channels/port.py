"""What every provider of a channel offers: send one message, say what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Final, Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

IMAGE_ID: Final = "picture"
IMAGE_NAME: Final = "cobro.png"


class Channel(StrEnum):
    SMS = "SMS"
    EMAIL = "EMAIL"
    PUSH = "PUSH"


class Content(BaseModel):
    """A message as its reader sees it. html, sender_name, unsubscribe (a link) and image are an e-mail's, subject is a
    push's title as well. image: a PNG in base64 that the HTML shows as `cid:` IMAGE_ID; empty where there is none."""

    model_config = ConfigDict(frozen=True)

    text: str
    subject: str = ""
    html: str = ""
    sender_name: str = ""
    unsubscribe: str = ""
    image: str = Field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """recipient: a number in E.164, an e-mail address, or the token of a device."""

    id: UUID
    recipient: str = field(repr=False)
    content: Content = field(repr=False)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has taken it on. message_id: its name for it, empty where its answer could not be read."""

    answer: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider will never take this message: a number that does not exist, for instance."""

    answer: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The provider will take nothing for this recipient any more: the app was removed from the device."""

    answer: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The provider tried and failed. Whether the message left is not said, and mostly it did not."""

    answer: str


@dataclass(frozen=True, slots=True)
class NotTaken:
    """Certainly not sent, through no fault of the message: no connection, too many at once, credentials refused."""

    answer: str
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Sent, and nothing came back: it may have left, or not."""

    answer: str


Outcome = Accepted | Refused | Gone | Failed | NotTaken | Unanswered


class MessageChannel(Protocol):
    """answers are short and safe to show: a status and the provider's code, never a recipient or a text."""

    channel: ClassVar[Channel]
    provider: ClassVar[str]

    async def send(self, message: Message) -> Outcome: ...

    async def close(self) -> None: ...
