"""The tables of preferences."""

from __future__ import annotations

from datetime import datetime, time
from uuid import UUID

from chassis.database.base import Version
from chassis.localization import Language
from sqlalchemy import CheckConstraint, text, true
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from notifications.base import Base


class Preference(Base):
    """How one business wants its messages, and its buyers' ones. Without a row: Spanish, by every channel, at any hour,
    in Cobro's colours."""

    __tablename__ = "preferences"

    business_id: Mapped[UUID] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(server_default=Language.ES.value)
    sms: Mapped[bool] = mapped_column(server_default=true())
    email: Mapped[bool] = mapped_column(server_default=true())
    push: Mapped[bool] = mapped_column(server_default=true())
    # On the clock of the business; both or neither.
    quiet_from: Mapped[time | None]
    quiet_until: Mapped[time | None]
    color: Mapped[str | None]
    logo_url: Mapped[str | None]
    updated_at: Mapped[datetime]
    version: Mapped[Version]

    __table_args__ = (
        CheckConstraint("language IN ('es', 'pt', 'en')", name="language"),
        CheckConstraint("(quiet_from IS NULL) = (quiet_until IS NULL)", name="quiet"),
    )


class PersonalPreference(Base):
    """What one user does not want, and when. muted: "CLASS:CHANNEL" each."""

    __tablename__ = "personal_preferences"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    muted: Mapped[list[str]] = mapped_column(ARRAY(TEXT), server_default=text("'{}'"))
    quiet_from: Mapped[time | None]
    quiet_until: Mapped[time | None]
    time_zone: Mapped[str | None]
    updated_at: Mapped[datetime]
    version: Mapped[Version]

    __table_args__ = (CheckConstraint("num_nulls(quiet_from, quiet_until, time_zone) IN (0, 3)", name="quiet"),)
