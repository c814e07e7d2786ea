"""Request and response models of a catalogue's settings."""

from __future__ import annotations

from uuid import UUID

from chassis.http.schemas import RequestModel, ResponseModel
from pydantic import Field


class SettingsReplace(RequestModel):
    """allowNegativeStock: sales and movements may take a branch's stock below zero."""

    allow_negative_stock: bool = Field(strict=True)


class SettingsOut(ResponseModel):
    business_id: UUID
    allow_negative_stock: bool
