"""What belongs to another tenant does not exist: with both barriers, with each of them alone, and with none it does."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from e2e.client import Answer, Client
from e2e.invariants import come_to_rest
from e2e.operations import documented
from e2e.stage import Stage

from .attacks import Attack, attacks
from .barriers import Barriers
from .bodies import own_account
from .cast import Cast
from .rules import FOREIGNERS, Persona, Rule
from .snapshot import changes, snapshot
from .tenant import Tenant

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

_AT_ONCE = 16
# Reports that Redis remembers are guarded by the caller's scope itself, which nothing here takes away.
_GUARDED = "GET /analytics/"
# Answers 200, and says of each sale what became of it, under the id it came with.
_APIECE = "POST /sales/sync"
_ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# Done where there is nothing to do, as for whom every row is hidden. That it did nothing is seen afterwards.
_REPEATABLE = "DELETE /payment-accounts/{provider}"
# Sums that a job makes of what is reported, in its own time.
_SUMMED = tuple(f"analytics.{table} " for table in ("daily_figures", "daily_products", "hourly_sales", "stale_days"))
_RETRIED = ("webhooks.webhook_attempts ", "webhooks.webhook_deliveries ", "webhooks.webhook_endpoints ")


@dataclass(frozen=True, slots=True)
class Siege:
    """attacks: of `attacker` on `victim`, who does nothing meanwhile. traces: what nobody else may ever be shown.
    before: all that is stored of it."""

    stage: Stage
    cast: Cast
    victim: Tenant
    attacks: list[Attack]
    traces: frozenset[str]
    before: Mapping[str, frozenset[str]]

    async def fought(self) -> list[tuple[Persona, Attack, Answer, Answer]]:
        """Every attack by everybody who is not of the business, beside its twin."""
        turn = asyncio.Semaphore(_AT_ONCE)

        async def one(persona: Persona, attack: Attack) -> tuple[Persona, Attack, Answer, Answer]:
            client = self.cast.caller(persona, self.stage.client)
            async with turn:
                answer = await attack.request.sent_by(client)
                return persona, attack, answer, await attack.absent.sent_by(client)

        # Who has nothing of their own to mix with the victim's sends the whole ones only.
        pairs = [
            (persona, attack)
            for attack in self.attacks
            for persona in FOREIGNERS
            if attack.whole or persona is Persona.FOREIGN_OWNER
        ]
        return await asyncio.gather(*(one(*pair) for pair in pairs))

    def traces_in(self, answer: Answer, said: str = "") -> list[str]:
        """said: what the request itself had told."""
        return [trace for trace in self.traces if trace.encode() in answer.content and trace not in said]


@pytest.fixture(scope="module")
async def siege(stage: Stage, cast: Cast) -> Siege:
    victim = await Tenant.opened(stage)
    operations = {operation.name: operation for operation in await documented(stage.client)}
    made = await attacks(operations, cast.abroad, victim)
    things = await victim.things()
    traces = frozenset({*things.values(), victim.marker, *(person.id for person in victim.people.values())})
    traces |= {person.phone for person in victim.people.values()} | {victim.buyer.phone, victim.other_branch_id}
    traces -= {things["provider"], things["name"]}
    keys = await own_account(victim, None)
    account = await victim.client.call(
        "PUT", f"/payment-accounts/{things['provider']}", body=keys, query={"businessId": victim.business_id}
    )
    account.data(200)
    await come_to_rest(stage)
    before = await snapshot(stage, traces)
    assert len(before) > 10, "a victim without things cannot be robbed"
    return Siege(stage, cast, victim, made, traces, before)


def told_apart(siege: Siege, persona: Persona, attack: Attack, answer: Answer, absent: Answer) -> str | None:
    """The complaint about an answer that says more than that there is no such thing."""
    if traces := siege.traces_in(answer):
        return f"shows {traces}"
    if (answer.status, without_id(attack, answer)) != (absent.status, without_id(attack, absent)):
        return f"differs from an absent one's {absent.status} {absent.content[:200]!r}"
    if answer.status >= 500:
        return "fails"
    if attack.whole and answer.status != (403 if attack.row.rule is Rule.ADMIN else 404):
        return "should be 404"
    return "takes effect" if takes_effect(attack, answer) else None


def takes_effect(attack: Attack, answer: Answer) -> bool:
    if attack.row.operation == _APIECE and answer.status == 200:
        told = answer.data()
        return bool(told["rejected"] != len(told["results"]))
    return answer.status < 300 and not attack.row.operation.startswith("GET ")


def without_id(attack: Attack, answer: Answer) -> object:
    if answer.status < 400:
        return _ID.sub(b"", answer.content) if attack.row.operation == _APIECE else answer.content
    return {name: value for name, value in answer.json.items() if name != "requestId"}


async def complaints(siege: Siege) -> list[str]:
    return [
        f"{attack.name} {persona}: {complaint}, but {answer.status} {answer.content[:200]!r}"
        for persona, attack, answer, absent in await siege.fought()
        if (complaint := told_apart(siege, persona, attack, answer, absent))
    ]


async def test_what_is_anothers_is_like_what_is_not_there(siege: Siege) -> None:
    assert not await complaints(siege)


async def test_so_it_is_by_the_filter_alone(siege: Siege, barriers: Barriers) -> None:
    async with barriers.without_row_security():
        assert not await complaints(siege)


async def test_and_by_row_level_security_alone(siege: Siege, barriers: Barriers) -> None:
    """A report without rows may then be an empty one; nothing may be shown, and nothing may take effect."""
    found = []
    async with barriers.without_filter():
        for persona, attack, answer, _ in await siege.fought():
            shown = siege.traces_in(answer, attack.request.said)
            effective = takes_effect(attack, answer) and attack.row.operation != _REPEATABLE
            if shown or effective or answer.status >= 500:
                found.append(f"{attack.name} {persona}: {answer.status} {answer.content[:300]!r} shows {shown}")
    assert not found


async def test_after_all_of_that_nothing_of_it_has_changed(siege: Siege) -> None:
    await come_to_rest(siege.stage)
    found = changes(siege.before, await snapshot(siege.stage, siege.traces))
    assert [change for change in found if not _is_its_own_doing(siege, change)] == []


def _is_its_own_doing(siege: Siege, change: str) -> bool:
    """A basket is kept as the attacker asked for it, with the sale that came to nothing for it; and what the victim's
    endpoint did not take goes on being sent, what it sold goes on being summed."""
    canceled = (f'"business_id": "{siege.cast.abroad.business_id}"', '"status": "CANCELED"')
    return change.startswith((*_RETRIED, *_SUMMED)) or (
        change.startswith("sales.sales has") and all(part in change for part in canceled)
    )


async def test_without_either_it_is_all_there(siege: Siege, barriers: Barriers) -> None:
    """Otherwise a barrier that was taken away would not have been the one that held."""
    reading = [
        attack
        for attack in siege.attacks
        if attack.whole
        and attack.row.operation.startswith("GET ")
        and not attack.row.operation.startswith(_GUARDED)
        and not attack.row.stopped_by
    ]
    async with barriers.without_filter(), barriers.without_row_security():
        client: Client = siege.cast.caller(Persona.FOREIGN_OWNER, siege.stage.client)
        answers = await asyncio.gather(*(attack.request.sent_by(client) for attack in reading))
    pairs = list(zip(reading, answers, strict=True))
    assert [f"{attack.name}: {answer}" for attack, answer in pairs if answer.status != 200] == []
    shown = [attack.name for attack, answer in pairs if siege.traces_in(answer)]
    assert len(shown) > len(reading) / 2
