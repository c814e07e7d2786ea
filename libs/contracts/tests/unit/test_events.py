"""Every event against its golden example: what producers write today, consumers of yesterday must still read."""

import json
from importlib import resources

import pytest
from contracts.events import DomainEvent, MoneyAmount
from contracts.events.registry import EVENTS, PRODUCERS, QUEUES, producer_of, queue
from contracts.tooling.asyncapi import document
from kernel import Currency, Money

EXAMPLES = resources.files("contracts.events") / "examples"

pytestmark = pytest.mark.contract


@pytest.mark.parametrize("name", EVENTS)
def test_the_golden_example_round_trips(name: str) -> None:
    golden = json.loads((EXAMPLES / f"{name}.json").read_text())

    assert EVENTS[name].model_validate(golden).body() == golden


@pytest.mark.parametrize("name", EVENTS)
def test_fields_a_consumer_does_not_know_are_ignored(name: str) -> None:
    golden = json.loads((EXAMPLES / f"{name}.json").read_text())

    assert EVENTS[name].model_validate({**golden, "newField": {"a": 1}}).body() == golden


def test_no_example_without_an_event() -> None:
    assert {path.name for path in EXAMPLES.iterdir()} == {f"{name}.json" for name in EVENTS}


@pytest.mark.parametrize("event", EVENTS.values())
def test_no_event_carries_personal_data(event: type[DomainEvent]) -> None:
    personal = {"phone", "email", "tax_id", "first_name", "last_name", "customer", "buyer", "address"}
    assert not personal & set(event.model_fields)


def test_every_event_has_one_producer_and_every_queue_a_service() -> None:
    produced = [event for events in PRODUCERS.values() for event in events]
    assert len(produced) == len(set(produced)) == len(EVENTS)
    for item in QUEUES:
        assert item.service in {"catalog", "sales", "payments", "billing", "notifications", "analytics", "webhooks"}
        assert all(producer_of(event) for event in item.events)
        assert queue(item.name) is item


def test_an_event_type_is_its_aggregate_and_a_verb() -> None:
    for name, event in EVENTS.items():
        subject, _, verb = name.partition(".")
        assert verb.replace("_", "").isalpha()
        assert subject in {event.aggregate_type, "stock", "webhook", "user"}


def test_money_on_the_wire() -> None:
    money = Money.of("150.50", Currency.MXN)
    assert MoneyAmount.of(money).model_dump(mode="json") == {"amount": "150.50", "currency": "MXN"}
    assert MoneyAmount.of(money).money == money


def test_asyncapi_names_every_event_and_queue() -> None:
    described = document()
    assert set(described["channels"]) == set(EVENTS)
    receivers = {name for name, operation in described["operations"].items() if operation["action"] == "receive"}
    assert {name.split(".receive.")[0] for name in receivers} == {item.name for item in QUEUES}
