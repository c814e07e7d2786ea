"""A confirmation by hand as JSON."""

from __future__ import annotations

from typing import Annotated

from chassis.http.schemas import RequestModel, Text
from pydantic import StringConstraints


class ConfirmPayment(RequestModel):
    """reason: for the timeline."""

    reason: Annotated[Text, StringConstraints(max_length=200)] | None = None
