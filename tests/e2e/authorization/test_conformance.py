"""Whatever is sent, the API answers as its own document says, and never with a server error."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from e2e.merchant import Json
from e2e.operations import merged
from e2e.people import register
from e2e.stage import Stage

from .conformance import run
from .tenant import Tenant

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

# Whoever calls these loses the token with which they call.
_LAST = (
    r"^(POST /api/v1/auth/logout(-all)?|DELETE /api/v1/(auth/sessions/\{session_id\}"
    r"|auth/memberships/\{membership_id\}|businesses/\{business_id\}))$"
)
# About half of all.
_OF_AUTH = r"^[A-Z]+ /api/v1/(auth|users|kyc|audit-entries|businesses)\b"


@pytest.fixture(scope="module")
async def tenant(stage: Stage) -> Tenant:
    return await Tenant.opened(stage)


@pytest.fixture(scope="module")
async def document(stage: Stage) -> Json:
    return await merged(stage.client)


async def test_as_an_owner(stage: Stage, tenant: Tenant, document: Json, tmp_path: Path) -> None:
    headers = {"Authorization": f"Bearer {tenant.client.token}"}
    things = await tenant.things()
    halves = ({"without": rf"{_LAST}|{_OF_AUTH}"}, {"without": _LAST, "only": _OF_AUTH})
    found = await asyncio.gather(
        *(
            run(
                stage.suite.gateway_url,
                document,
                tmp_path,
                headers=headers,
                ids=things,
                limits=True,
                examples=3,
                **half,
            )
            for half in halves
        )
    )
    assert [half.failures for half in found if half.failures] == []
    assert sum(half.cases for half in found) > 1000
    assert (await tenant.client.get("/auth/me")).status == 200, "the session has ended on the way"


async def test_of_what_ends_the_session(stage: Stage, document: Json, tmp_path: Path) -> None:
    somebody = await register(stage)
    headers = {"Authorization": f"Bearer {somebody.token}"}
    found = await run(stage.suite.gateway_url, document, tmp_path, headers=headers, ids={}, only=_LAST, examples=2)
    assert not found.failures, found.failures
    assert found.cases > 5


async def test_as_an_administrator(stage: Stage, tenant: Tenant, document: Json, tmp_path: Path) -> None:
    administrator = await register(stage, role="ADMIN")
    headers = {"Authorization": f"Bearer {administrator.token}"}
    things = await tenant.things()
    only = r" /api/v1/(users|webhook-events|kyc|audit-entries)"
    found = await run(stage.suite.gateway_url, document, tmp_path, headers=headers, ids=things, only=only, examples=3)
    assert not found.failures, found.failures
    assert found.cases > 30


async def test_without_a_token(stage: Stage, tenant: Tenant, document: Json, tmp_path: Path) -> None:
    things = await tenant.things()
    found = await run(stage.suite.gateway_url, document, tmp_path, headers={}, ids=things, examples=1)
    assert not found.failures, found.failures
    assert found.cases > 80
