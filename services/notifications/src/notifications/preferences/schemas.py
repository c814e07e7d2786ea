"""Preferences in JSON."""

from __future__ import annotations

from uuid import UUID

from chassis.http.schemas import RequestModel, ResponseModel
from chassis.localization import Language

from notifications.channels.port import Channel
from notifications.preferences.service import Preferences


class ChannelSwitches(RequestModel):
    sms: bool
    email: bool


class PreferencesIn(RequestModel):
    """channels: those by which the business and its buyers may be written to."""

    business_id: UUID
    language: Language
    channels: ChannelSwitches

    def wanted(self) -> Preferences:
        switches = {Channel.SMS: self.channels.sms, Channel.EMAIL: self.channels.email}
        return Preferences(self.language, frozenset(channel for channel, on in switches.items() if on))


class PreferencesOut(ResponseModel):
    business_id: UUID
    language: Language
    channels: ChannelSwitches


def preferences_out(business_id: UUID, found: Preferences) -> PreferencesOut:
    return PreferencesOut(
        business_id=business_id,
        language=found.language,
        channels=ChannelSwitches(sms=Channel.SMS in found.channels, email=Channel.EMAIL in found.channels),
    )
