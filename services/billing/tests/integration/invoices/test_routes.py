import asyncio
from typing import Any

import pytest
from chassis.auth import Role
from chassis.testing.service import ServiceUnderTest
from chassis.testing.tokens import make_principal
from kernel import Country, new_id

pytestmark = pytest.mark.integration

INVOICES = "/api/v1/invoices"


async def test_a_document_in_json(sut: ServiceUnderTest, shop: Any, issued: Any) -> None:
    event, document = await issued(shop, customer={"name": "Ana López", "tax_id": "LOHA850101AB1"})

    assert document | {"id": "", "createdAt": "", "issuedAt": "", "pdfUrl": ""} == {
        "id": "",
        "businessId": str(shop.business.id),
        "branchId": str(shop.branch.id),
        "saleId": str(event.aggregate_id),
        "kind": "RECEIPT",
        "invoiceNumber": "R-00000001",
        "status": "ISSUED",
        "fiscalData": {
            "documentType": "RECEIPT",
            "series": "R",
            "number": 1,
            "issuer": {
                "name": "Abarrotes Lupita",
                "legalName": "Abarrotes Lupita SA de CV",
                "taxId": "EKU9003173C9",
                "taxIdName": "RFC",
            },
            "authorityType": None,
            "fiscalId": None,
            "state": None,
            "messages": [],
            "originId": None,
            "refundId": None,
            "cancelMotive": None,
        },
        "pdfUrl": "",
        "xmlUrl": None,
        "customer": {"name": "Ana López", "taxId": "LOHA850101AB1"},
        "totals": {
            "subtotal": "154.31",
            "discount": "0.00",
            "tax": "24.69",
            "total": "179.00",
            "currency": "MXN",
        },
        "failureReason": None,
        "createdAt": "",
        "issuedAt": "",
        "canceledAt": None,
    }
    assert document["pdfUrl"].startswith(f"https://cobro.example{INVOICES}/{document['id']}/pdf?key=")
    assert document["issuedAt"].endswith("Z")


async def test_whole_pesos_have_no_decimals(sut: ServiceUnderTest, open_shop: Any, issued: Any) -> None:
    _, document = await issued(open_shop(Country.CL), total=11900, country=Country.CL)

    assert document["totals"] == {
        "subtotal": "10000",
        "discount": "0",
        "tax": "1900",
        "total": "11900",
        "currency": "CLP",
    }


async def test_lists_are_filtered_and_paged(sut: ServiceUnderTest, sales: Any, shop: Any, issued: Any) -> None:
    for _ in range(3):
        await issued(shop)
    await sut.deliver("billing.sales", sales.sell(shop.business.id, shop.branch.id))
    headers = sut.as_(shop.owner)

    first = (await sut.client.get(INVOICES, params={"limit": 3}, headers=headers)).json()
    rest = await sut.client.get(INVOICES, params={"cursor": first["meta"]["nextCursor"]}, headers=headers)
    numbers = [row["invoiceNumber"] for row in [*first["data"], *rest.json()["data"]]]
    assert sorted(numbers) == [f"R-0000000{number}" for number in (1, 2, 3, 4)]
    assert first["meta"]["total"] == 4
    pending = await sut.client.get(INVOICES, params={"status": "PENDING"}, headers=headers)
    (row,) = pending.json()["data"]
    assert (row["pdfUrl"], row["fiscalData"], row["customer"]) == (None, None, None)


async def test_another_tenants_document_is_as_absent_as_one_that_never_was(
    sut: ServiceUnderTest, open_shop: Any, issued: Any
) -> None:
    _, document = await issued(open_shop())
    stranger = sut.as_(open_shop().owner)

    for path in ("", "/pdf"):
        foreign = await sut.client.get(f"{INVOICES}/{document['id']}{path}", headers=stranger)
        absent = await sut.client.get(f"{INVOICES}/{new_id()}{path}", headers=stranger)
        assert foreign.status_code == absent.status_code == 404
        assert {**foreign.json(), "requestId": ""} == {**absent.json(), "requestId": ""}
    retried = await sut.client.post(f"{INVOICES}/{document['id']}/retry", headers=stranger)
    assert (retried.status_code, retried.json()["code"]) == (404, "invoice_not_found")
    listed = await sut.client.get(INVOICES, params={"businessId": document["businessId"]}, headers=stranger)
    assert listed.status_code == 404
    of_sale = await sut.client.get(INVOICES, params={"saleId": document["saleId"]}, headers=stranger)
    assert of_sale.json()["data"] == []


async def test_an_employee_sees_the_documents_of_their_branches(
    sut: ServiceUnderTest, sales: Any, shop: Any, issued: Any
) -> None:
    other = sut.directory.open_branch(shop.business.id)
    _, here = await issued(shop)
    await sut.deliver("billing.sales", sales.sell(shop.business.id, other.id))
    everything = await sut.client.get(INVOICES, headers=sut.as_(shop.owner))
    there = next(row for row in everything.json()["data"] if row["branchId"] == str(other.id))
    employee = sut.as_(make_principal(role=Role.EMPLOYEE, works_at=[(shop.business.id, [shop.branch.id])]))

    for params in ({}, {"businessId": str(shop.business.id)}):
        listed = await sut.client.get(INVOICES, params=params, headers=employee)
        assert [row["id"] for row in listed.json()["data"]] == [here["id"]]
    assert (await sut.client.get(f"{INVOICES}/{here['id']}", headers=employee)).status_code == 200
    refused = await sut.client.get(f"{INVOICES}/{there['id']}", headers=employee)
    assert (refused.status_code, refused.json()["code"]) == (403, "branch_forbidden")


async def test_nobody_without_a_token(sut: ServiceUnderTest) -> None:
    for path in (INVOICES, f"{INVOICES}/{new_id()}", f"{INVOICES}/{new_id()}/pdf"):
        assert (await sut.client.get(path)).status_code == 401


HOSTILE = ["'; DROP TABLE invoices; --", "<script>alert(1)</script>", "\x00", "💥", "x" * 10_000, "../../etc/passwd"]


@pytest.mark.parametrize("text", HOSTILE, ids=["sql", "html", "nul", "emoji", "long", "path"])
async def test_hostile_input_is_a_clear_400(sut: ServiceUnderTest, shop: Any, text: str) -> None:
    headers = sut.as_(shop.owner)
    for name in ("businessId", "saleId", "status", "cursor", "page", "limit"):
        answer = await sut.client.get(INVOICES, params={name: text}, headers=headers)
        assert answer.status_code == 400, name
        assert answer.json()["code"] == "validation_failed"
    for name in ("lang", "format"):
        answer = await sut.client.get(f"{INVOICES}/{new_id()}/pdf", params={name: text}, headers=headers)
        assert answer.status_code == 400


async def test_retry_is_idempotent(sut: ServiceUnderTest, sales: Any, shop: Any) -> None:
    event = sales.sell(shop.business.id, shop.branch.id)
    await sut.deliver("billing.sales", event)
    (waiting,) = (await sut.client.get(INVOICES, headers=sut.as_(shop.owner))).json()["data"]
    url, key = f"{INVOICES}/{waiting['id']}/retry", str(new_id())
    headers = sut.as_(shop.owner, **{"Idempotency-Key": key})

    answers = await asyncio.gather(*(sut.client.post(url, headers=headers) for _ in range(5)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    again = await sut.client.post(url, headers=headers)

    assert again.headers["Idempotent-Replayed"] == "true"
    reused = await sut.client.post(f"{url}?other=1", headers=headers)
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    stranger = sut.as_(make_principal(owns=[new_id()]), **{"Idempotency-Key": key})
    assert (await sut.client.post(url, headers=stranger)).status_code == 404
