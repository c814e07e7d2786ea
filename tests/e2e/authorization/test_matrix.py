"""Every documented operation, asked for by everybody: through the gateway, and at the services' own ports."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from e2e.client import Client
from e2e.operations import Operation, document_of, merged, operations_of
from e2e.stage import Stage

from .cast import Cast
from .matrix import play
from .rows import ROWS, Row

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

Failures = dict[str, list[str]]
Operations = dict[str, Operation]


@pytest.fixture(scope="module")
async def documented(stage: Stage) -> Operations:
    return {operation.name: operation for operation in operations_of(await merged(stage.client))}


@pytest.fixture(scope="module")
async def at_the_gateway(stage: Stage, cast: Cast, documented: Operations) -> Failures:
    return await play([row for row in ROWS if row.operation in documented], cast, lambda row: stage.client, documented)


async def test_every_operation_has_a_row(documented: Operations) -> None:
    missing = documented.keys() - {row.operation for row in ROWS}
    assert not missing, (
        "Documented, and nobody says who may call them: add a row for each to rows.py (and a valid body to"
        f" operations.valid_bodies, if it takes one): {sorted(missing)}"
    )


async def test_every_row_has_an_operation(documented: Operations) -> None:
    gone = {row.operation for row in ROWS} - documented.keys()
    assert not gone, f"Rows of rows.py whose operation is not documented any more: {sorted(gone)}"


def test_rows_are_told_apart() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_everybody_is_told_what_the_rule_says(row: Row, at_the_gateway: Failures) -> None:
    assert not at_the_gateway[row.name]


@pytest.fixture(scope="module")
async def doors(stage: Stage) -> AsyncIterator[dict[str, Client]]:
    """By operation, the port of the service that has it. What the gateway answers itself has no other door."""
    async with AsyncExitStack() as open_clients:
        found = {}
        for service in stage.services:
            if service != "gateway":
                client = await open_clients.enter_async_context(Client(stage.suite.url(service)))
                found |= {operation.name: client for operation in operations_of(await document_of(client))}
        yield found


@pytest.fixture(scope="module")
async def at_their_own_ports(cast: Cast, documented: Operations, doors: dict[str, Client]) -> Failures:
    rows = [row for row in ROWS if row.operation in documented.keys() & doors.keys()]
    return await play(rows, cast, lambda row: doors[row.operation], documented)


def test_every_operation_of_a_service_has_a_port(doors: dict[str, Client], documented: Operations) -> None:
    assert documented.keys() - doors.keys() == {"GET //health"}


@pytest.mark.parametrize("row", [row for row in ROWS if row.operation != "GET //health"], ids=lambda row: row.name)
async def test_passing_the_gateway_by_gains_nothing(row: Row, at_their_own_ports: Failures) -> None:
    assert not at_their_own_ports[row.name]
