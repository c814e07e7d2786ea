"""Quiet hours: when nobody wants to be written to, on the reader's own clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `begin` until `end`, past midnight where `end` comes first; equal ones are none. zone: IANA."""

    begin: time
    end: time
    zone: str

    def over_at(self, now: datetime) -> datetime | None:
        """When the quiet that holds at `now` is over, in UTC; None outside of it."""
        local = now.astimezone(ZoneInfo(self.zone))
        at = local.time()
        overnight = self.end < self.begin
        quiet = at >= self.begin or at < self.end if overnight else self.begin <= at < self.end
        if not quiet:
            return None
        day = local.date() + timedelta(days=1) if overnight and at >= self.begin else local.date()
        # Of an hour that comes twice at the end of summer time, the next; of one that never comes, the moment after.
        end = datetime.combine(day, self.end, ZoneInfo(self.zone))
        over = end.astimezone(UTC)
        return over if over > now else end.replace(fold=1).astimezone(UTC)

    def __str__(self) -> str:
        """22:00-08:00 America/Mexico_City, as it is stored with a message."""
        return f"{self.begin:%H:%M}-{self.end:%H:%M} {self.zone}"

    @classmethod
    def parse(cls, text: str) -> Self:
        hours, _, zone = text.partition(" ")
        begin, _, end = hours.partition("-")
        return cls(time.fromisoformat(begin), time.fromisoformat(end), zone)
