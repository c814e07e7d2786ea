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

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(420)]

# Whoever calls these loses the token with which they call.
_ENDING = (
    "POST /api/v1/auth/logout",
    "POST /api/v1/auth/logout-all",
    "DELETE /api/v1/auth/sessions/{session_id}",
    "DELETE /api/v1/auth/memberships/{membership_id}",
    "DELETE /api/v1/businesses/{business_id}",
)
_FOR_ADMINISTRATORS = ("/api/v1/users", "/api/v1/webhook-events", "/api/v1/reconciliations")
# About half of all.
_OF_AUTH = ("/api/v1/auth/", "/api/v1/users", "/api/v1/kyc/", "/api/v1/audit-entries", "/api/v1/businesses")


async def test_it_answers_as_documented(stage: Stage, tmp_path: Path) -> None:
    document = await merged(stage.client)
    tenant = await Tenant.opened(stage)
    administrator = await register(stage, role="ADMIN")
    others = dict.fromkeys(_names(document, _FOR_ADMINISTRATORS), administrator.token)
    others |= {name: (await register(stage)).token for name in _ENDING}
    # Not the owner's own account, which an administrator would delete.
    things = {**await tenant.things(), "user_id": (await register(stage)).id}
    found = await asyncio.gather(
        *(
            run(stage.suite.gateway_url, half, tmp_path, token=str(tenant.client.token), others=others, ids=things)
            for half in _halves(document)
        )
    )
    failures = "\n".join(half.failures for half in found if half.failures)
    assert not failures, failures
    assert sum(half.cases for half in found) > 2000
    assert (await tenant.client.get("/auth/me")).status == 200, "the session has ended on the way"


def _halves(document: Json) -> tuple[Json, Json]:
    """So that both cores have something to do."""
    paths = document["paths"]
    of_auth = {path: item for path, item in paths.items() if path.startswith(_OF_AUTH)}
    rest = {path: item for path, item in paths.items() if path not in of_auth}
    return {**document, "paths": of_auth}, {**document, "paths": rest}


def _names(document: Json, prefixes: tuple[str, ...]) -> list[str]:
    return [
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        if path.startswith(prefixes)
        for method in operations
    ]
