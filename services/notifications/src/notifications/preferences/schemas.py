"""Preferences in JSON."""

from __future__ import annotations

import re
from datetime import time
from typing import Annotated, Self
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import available_timezones

from chassis.http.schemas import RequestModel, ResponseModel
from chassis.localization import Language
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    PlainSerializer,
    StrictBool,
    WithJsonSchema,
    model_validator,
)

from notifications.channels.port import Channel
from notifications.messages.classes import EventClass
from notifications.preferences.branding import Branding
from notifications.preferences.quiet import QuietHours
from notifications.preferences.service import PersonalPreferences, Preferences

_HOUR = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)


def _hour(value: object) -> object:
    if isinstance(value, time):
        return value
    if not isinstance(value, str) or not _HOUR.fullmatch(value):
        raise ValueError('must be an hour and a minute such as "22:00"')
    return time.fromisoformat(value)


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("is no IANA time zone")
    return value


def _https(value: str) -> str:
    try:
        url = urlsplit(value)
        port_fits = url.port is None or url.port > 0
    except ValueError:
        raise ValueError("is no address") from None
    if url.scheme != "https" or not url.hostname or not port_fits or url.username is not None:
        raise ValueError("must be an https address without credentials")
    return value


Hour = Annotated[
    time,
    BeforeValidator(_hour),
    PlainSerializer(lambda value: f"{value:%H:%M}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^([01][0-9]|2[0-3]):[0-5][0-9]$", "examples": ["22:00"]}),
]
Color = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$", examples=["#0f766e"])]
LogoUrl = Annotated[
    str,
    Field(max_length=500, pattern=r"^https://[!-~]+$", examples=["https://example.com/logo.png"]),
    AfterValidator(_https),
]
TimeZone = Annotated[str, Field(max_length=64, examples=["America/Mexico_City"]), AfterValidator(_zone)]


class _Hours(BaseModel):
    @model_validator(mode="after")
    def _differ(self) -> Self:
        if getattr(self, "begin", None) == getattr(self, "end", None):
            raise ValueError("from and until are the same")
        return self


class QuietHoursIn(RequestModel, _Hours):
    """On the business's own clock; past midnight where `until` comes first."""

    begin: Hour = Field(alias="from")
    end: Hour = Field(alias="until")


class PersonalQuietHoursIn(QuietHoursIn):
    time_zone: TimeZone


class BrandingIn(RequestModel):
    color: Color | None = None
    logo_url: LogoUrl | None = None


class ChannelSwitches(RequestModel):
    """push: where the business's people have registered a device."""

    sms: bool
    email: bool
    push: StrictBool = True


class PreferencesIn(RequestModel):
    """channels: those by which the business and its buyers may be written to. What is left out returns to its
    default."""

    business_id: UUID
    language: Language
    channels: ChannelSwitches
    quiet_hours: QuietHoursIn | None = None
    branding: BrandingIn | None = None

    def wanted(self) -> Preferences:
        switches = {
            Channel.SMS: self.channels.sms,
            Channel.EMAIL: self.channels.email,
            Channel.PUSH: self.channels.push,
        }
        branding = None
        if self.branding is not None and (self.branding.color or self.branding.logo_url):
            branding = Branding(
                (self.branding.color or Branding().color).lower(), self.branding.logo_url or Branding().logo_url
            )
        return Preferences(
            self.language,
            frozenset(channel for channel, on in switches.items() if on),
            (self.quiet_hours.begin, self.quiet_hours.end) if self.quiet_hours else None,
            branding,
        )


class QuietHoursOut(ResponseModel):
    begin: Hour = Field(alias="from")
    end: Hour = Field(alias="until")


class PersonalQuietHoursOut(QuietHoursOut):
    time_zone: str


class BrandingOut(ResponseModel):
    color: str
    logo_url: str | None


class PreferencesOut(ResponseModel):
    business_id: UUID
    language: Language
    channels: ChannelSwitches
    quiet_hours: QuietHoursOut | None
    branding: BrandingOut | None


def preferences_out(business_id: UUID, found: Preferences) -> PreferencesOut:
    return PreferencesOut(
        business_id=business_id,
        language=found.language,
        channels=ChannelSwitches(
            sms=Channel.SMS in found.channels,
            email=Channel.EMAIL in found.channels,
            push=Channel.PUSH in found.channels,
        ),
        quiet_hours=QuietHoursOut(begin=found.quiet[0], end=found.quiet[1]) if found.quiet else None,
        branding=(
            BrandingOut(color=found.branding.color, logo_url=found.branding.logo_url or None)
            if found.branding
            else None
        ),
    )


class Muted(RequestModel):
    """One kind of news that one channel does not bring. What concerns the safety of an account always comes."""

    event_class: EventClass
    channel: Channel

    @model_validator(mode="after")
    def _may_be_muted(self) -> Self:
        if self.event_class.mandatory:
            raise ValueError("messages about the safety of an account cannot be switched off")
        return self


class PersonalPreferencesIn(RequestModel):
    muted: list[Muted] = Field(default_factory=list, max_length=len(EventClass) * len(Channel))
    quiet_hours: PersonalQuietHoursIn | None = None

    def wanted(self) -> PersonalPreferences:
        quiet = self.quiet_hours
        return PersonalPreferences(
            frozenset((item.event_class, item.channel) for item in self.muted),
            QuietHours(quiet.begin, quiet.end, quiet.time_zone) if quiet else None,
        )


class PersonalPreferencesOut(ResponseModel):
    muted: list[Muted]
    quiet_hours: PersonalQuietHoursOut | None


def personal_out(found: PersonalPreferences) -> PersonalPreferencesOut:
    quiet = found.quiet
    return PersonalPreferencesOut(
        muted=[Muted(event_class=kind, channel=channel) for kind, channel in sorted(found.muted)],
        quiet_hours=(PersonalQuietHoursOut(begin=quiet.begin, end=quiet.end, time_zone=quiet.zone) if quiet else None),
    )
