"""What an owner tells of a business to its authority, and what is never told again."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from billing.profiles.models import FiscalProfile
from chassis.testing.reencryption import reencrypt_there_and_back
from chassis.testing.tokens import make_principal
from kernel import Country, new_id

pytestmark = pytest.mark.integration

SECRET = "a secret that is never told"
CERTIFICATE = base64.b64encode(b"the certificate of nobody").decode()


def body(**changes: Any) -> dict[str, Any]:
    values = {
        "taxId": "eku9003173c9",
        "legalName": "Escuela Kemper Urgate",
        "taxRegime": "601",
        "address": {"postalCode": "42501"},
        "automaticIssue": False,
        "fields": {"office": "12"},
        "credentials": {"certificate": CERTIFICATE, "pin": SECRET},
        "numbering": [{"series": "T", "from": "1", "to": "100", "validTo": "2030-01-01", "authorization": "18760"}],
    }
    return values | changes


def url(shop: Any) -> str:
    return f"/api/v1/fiscal-profiles/{shop.business.id}"


async def put(sut: Any, shop: Any, sent: dict[str, Any]) -> Any:
    return await sut.client.put(url(shop), json=sent, headers=sut.as_(shop.owner))


async def test_what_is_told_is_shown_and_secrets_are_not(sut: Any, shop: Any) -> None:
    missing = await sut.client.get(url(shop), headers=sut.as_(shop.owner))
    assert (missing.status_code, missing.json()["code"]) == (404, "fiscal_profile_not_found")

    answers = [await put(sut, shop, body()), await sut.client.get(url(shop), headers=sut.as_(shop.owner))]

    for answer in answers:
        assert answer.status_code == 200, answer.text
        assert SECRET not in answer.text
        assert CERTIFICATE not in answer.text
        shown = answer.json()["data"]
        assert (shown["taxId"], shown["country"], shown["credentials"]) == (
            "EKU9003173C9",
            "MX",
            ["certificate", "pin"],
        )
        (certificate,) = shown["certificates"]
        assert (certificate["subject"], certificate["notAfter"]) == ("CN=Prueba", "2026-02-01T00:00:00.000Z")
        (numbers,) = shown["numbering"]
        assert (numbers["first"], numbers["last"], numbers["left"]) == (1, 100, 100)
    async with sut.kit.database.read() as session:
        row = await session.get(FiscalProfile, shop.business.id)
    assert "EKU" not in row.data + row.credentials
    await reencrypt_there_and_back(sut)
    assert (await sut.client.get(url(shop), headers=sut.as_(shop.owner))).status_code == 200


async def test_secrets_that_are_not_sent_again_stay_within_their_environment(sut: Any, shop: Any) -> None:
    await put(sut, shop, body())
    again = await put(sut, shop, body(credentials={}, legalName="Otra"))
    assert (again.status_code, again.json()["data"]["legalName"]) == (200, "Otra")

    moved = await put(sut, shop, body(credentials={}, environment="PRODUCTION"))

    assert (moved.status_code, moved.json()["code"]) == (400, "fiscal_profile_invalid")
    assert {item["field"] for item in moved.json()["errors"]} == {"credentials.certificate", "credentials.pin"}


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        (
            {"credentials": {"certificate": base64.b64encode(b"expired").decode(), "pin": "1"}},
            {"credentials.certificate"},
        ),
        ({"credentials": {"certificate": "not base64!", "pin": "1"}}, {"credentials.certificate"}),
        ({"credentials": {"password": "x"}}, {"credentials.password"}),
        ({"fields": {"pin": "x"}}, {"fields.pin"}),
        ({"numbering": [{"from": "x"}]}, {"numbering.0"}),
        ({"numbering": [{"from": "9", "to": "8"}]}, {"numbering.0"}),
        ({"numbering": [{"from": "1", "to": "9" * 30}]}, {"numbering.0"}),
        ({"numbering": [{"from": "1", "to": "9"}, {"from": "5", "to": "12"}]}, {"numbering.1"}),
    ],
    ids=["expired", "no base64", "unknown", "secret field", "no range", "backwards", "endless", "overlapping"],
)
async def test_every_field_that_is_wrong_is_named(sut: Any, shop: Any, changes: Any, fields: set[str]) -> None:
    answer = await put(sut, shop, body(**changes))
    assert (answer.status_code, answer.json()["code"]) == (400, "fiscal_profile_invalid"), answer.text
    assert {item["field"] for item in answer.json()["errors"]} == fields
    assert (await sut.client.get(url(shop), headers=sut.as_(shop.owner))).status_code == 404


async def test_it_is_the_owner_s(sut: Any, shop: Any, open_shop: Any) -> None:
    await put(sut, shop, body())
    for principal, status in (
        (make_principal(owns=[new_id()]), 404),
        (make_principal(works_at=[(shop.business.id, [shop.branch.id])]), 403),
    ):
        headers = sut.as_(principal)
        assert (await sut.client.get(url(shop), headers=headers)).status_code == status
        assert (await sut.client.put(url(shop), json=body(), headers=headers)).status_code == status
    elsewhere = open_shop(Country.CO)
    answer = await put(sut, elsewhere, body())
    assert (answer.status_code, answer.json()["code"]) == (422, "fiscal_country_not_supported")


async def test_what_ends_soon_is_seen_coming(sut: Any, shop: Any) -> None:
    from prometheus_client import REGISTRY

    watch = next(job for job in sut.service.jobs if job.name == "watch-fiscal")
    await watch.run()
    before = REGISTRY.get_sample_value("cobro_fiscal_number_series_low")
    await put(sut, shop, body(numbering=[{"series": "T", "from": "1", "to": "100"}]))
    from billing.numbering.models import NumberRange
    from sqlalchemy import update

    async with sut.kit.database.transaction() as unit:
        await unit.session.execute(
            update(NumberRange).where(NumberRange.business_id == shop.business.id).values(next_number=92)
        )
    await watch.run()
    assert REGISTRY.get_sample_value("cobro_fiscal_number_series_low") == before + 1
    # The certificate ends on 1 February, and it is January.
    assert REGISTRY.get_sample_value("cobro_fiscal_certificates_expiring") >= 1
