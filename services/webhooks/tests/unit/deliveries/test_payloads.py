import json
from datetime import UTC, datetime
from importlib import resources

import pytest
from contracts.events.registry import EVENTS
from kernel import new_id
from webhooks.deliveries.payloads import payload
from webhooks.endpoints.schemas import EVENT_TYPES

EXAMPLES = resources.files("contracts.events") / "examples"
AT = datetime(2026, 1, 15, 18, 1, 29, 123456, tzinfo=UTC)


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_public_event_as_merchants_get_it(name: str) -> None:
    golden = json.loads((EXAMPLES / f"{name}.json").read_text())
    event_id = new_id()

    sent = json.loads(payload(event_id, EVENTS[name].model_validate(golden), AT))

    subject, sequence = golden.pop("aggregateId"), golden.pop("aggregateVersion")
    assert sent == {
        "id": str(event_id),
        "type": name,
        "timestamp": "2026-01-15T18:01:29.123Z",
        "sequence": sequence,
        "data": {"id": subject, "object": EVENTS[name].aggregate_type, **golden},
    }


def test_internal_events_are_not_for_merchants() -> None:
    assert not {"webhook.received", "user.registered", "user.code_requested", "business.deleted"} & set(EVENT_TYPES)
