from __future__ import annotations

from uuid import UUID

import pytest
from chassis.testing.tokens import make_principal
from gateway.admission.business import business_of

MINE, OTHER, FOREIGN = (UUID(int=number) for number in (0xA1, 0xA2, 0xA3))
SALES = "/api/v1/sales"


def found(path: str, query: str, *owns: UUID) -> UUID | None:
    return business_of(make_principal(owns=owns), path, query.encode())


def test_the_only_business_of_a_caller_needs_no_name() -> None:
    assert found(SALES, "", MINE) == MINE
    assert found(SALES, "page=2", MINE) == MINE


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (SALES, f"businessId={OTHER}"),
        (SALES, f"page=1&businessId={str(OTHER).upper()}&limit=5"),
        (f"/api/v1/businesses/{OTHER}", ""),
        (f"/api/v1/businesses/{OTHER}/branches", ""),
        (f"/api/v1/fiscal-profiles/{OTHER}", ""),
    ],
)
def test_of_several_the_one_that_is_named(path: str, query: str) -> None:
    assert found(path, query, MINE, OTHER) == OTHER


@pytest.mark.parametrize(
    "query", ["", f"businessId={FOREIGN}", "businessId=x", "businessId=", f"otherbusinessId={OTHER}", "\xff=1"]
)
def test_of_several_none_that_is_not_named(query: str) -> None:
    assert found(SALES, query, MINE, OTHER) is None


def test_a_business_that_is_not_the_callers_is_never_charged() -> None:
    assert found(SALES, f"businessId={FOREIGN}", MINE) == MINE
    assert found(f"/api/v1/businesses/{FOREIGN}", "") is None
