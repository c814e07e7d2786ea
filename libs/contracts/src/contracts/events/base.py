"""The shape every domain event shares."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from kernel import Currency, Money
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class EventModel(BaseModel):
    """camelCase on the wire; fields a consumer does not know are ignored, so that producers may grow."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class MoneyAmount(EventModel):
    """Money on the wire: {"amount": "150.50", "currency": "MXN"}."""

    amount: str
    currency: Currency

    @classmethod
    def of(cls, money: Money) -> MoneyAmount:
        return cls(amount=str(money), currency=money.currency)

    @property
    def money(self) -> Money:
        return Money.of(self.amount, self.currency)


class DomainEvent(EventModel):
    """A fact about one aggregate. `type` is the CloudEvents type and the routing key.

    aggregate_version grows by one with every change of the aggregate, so that a consumer recognises a stale event.
    No event carries personal data: a consumer that needs a name or an address asks the owner over gRPC.
    """

    type: ClassVar[str]
    aggregate_type: ClassVar[str]

    aggregate_id: UUID
    aggregate_version: int
    business_id: UUID | None = None

    def body(self) -> dict[str, Any]:
        return self.model_dump(mode="json", by_alias=True)
