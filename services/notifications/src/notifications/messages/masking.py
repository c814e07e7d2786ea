"""Recipients as they may be shown: enough to recognise one's own, not enough to write to."""

from __future__ import annotations

from notifications.channels.port import Channel


def masked(recipient: str, channel: Channel) -> str:
    """+52•••••••5678, a•••@example.com, •••4f2a for a device."""
    if channel is Channel.PUSH:
        return f"•••{recipient[-4:]}"
    name, at, domain = recipient.rpartition("@")
    if at:
        return f"{name[:1]}•••@{domain}"
    return f"{recipient[:3]}{'•' * max(len(recipient) - 7, 3)}{recipient[-4:]}" if len(recipient) > 8 else "•••"
