from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from chassis.objectstore import ObjectStoreUnavailable
from chassis.testing.service import ServiceUnderTest
from kernel import new_id
from pypdf import PdfReader

pytestmark = pytest.mark.integration


def link_of(sut: ServiceUnderTest, sale_id: Any) -> str:
    parts = urlsplit(sut.context.links.url(sale_id))
    return f"{parts.path}?{parts.query}"


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


async def test_the_buyer_opens_the_link_without_an_account(sut: ServiceUnderTest, shop: Any, issued: Any) -> None:
    event, _ = await issued(shop)

    answer = await sut.client.get(link_of(sut, event.aggregate_id))

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["content-disposition"] == 'inline; filename="R-00000001.pdf"'
    assert answer.headers["cache-control"].startswith("private")
    assert "RECIBO DE VENTA" in text_of(answer.content)


async def test_the_merchant_opens_it_with_a_token(sut: ServiceUnderTest, shop: Any, issued: Any) -> None:
    event, _ = await issued(shop)

    answer = await sut.client.get(f"/api/v1/receipts/{event.aggregate_id}", headers=sut.as_(shop.owner))

    assert answer.content.startswith(b"%PDF")


async def test_nobody_else_does(sut: ServiceUnderTest, shop: Any, open_shop: Any, issued: Any) -> None:
    event, _ = await issued(shop)
    other, _ = await issued(shop)
    url = f"/api/v1/receipts/{event.aggregate_id}"

    assert (await sut.client.get(url)).status_code == 401
    assert (await sut.client.get(url, headers=sut.as_(open_shop().owner))).status_code == 404
    stolen = link_of(sut, other.aggregate_id).partition("key=")[2]
    for key in ("", "x", stolen, "ñandú", "' OR 1=1 --", "\x00"):
        answer = await sut.client.get(url, params={"key": key})
        assert (answer.status_code, answer.json()["code"]) == (404, "invoice_not_found"), key
    assert (await sut.client.get(url, params={"key": "x" * 10_000})).status_code == 400
    assert (await sut.client.get("/api/v1/receipts/not-an-id", params={"key": "x"})).status_code == 400


async def test_before_it_is_ready(sut: ServiceUnderTest, sales: Any, shop: Any) -> None:
    event = sales.sell(shop.business.id, shop.branch.id)
    absent = await sut.client.get(link_of(sut, event.aggregate_id))
    assert (absent.status_code, absent.json()["code"]) == (404, "invoice_not_found")

    await sut.deliver("billing.sales", event)

    answer = await sut.client.get(link_of(sut, event.aggregate_id))
    assert (answer.status_code, answer.json()["code"]) == (404, "receipt_not_ready")
    assert answer.headers["retry-after"] == "2"


@pytest.mark.parametrize(("lang", "title"), [("pt", "RECIBO DE VENDA"), ("en", "SALES RECEIPT")])
@pytest.mark.parametrize("layout", ["ticket", "a4"])
async def test_other_languages_are_made_once_and_kept(
    sut: ServiceUnderTest, shop: Any, issued: Any, lang: str, title: str, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    event, _ = await issued(shop)
    url = f"{link_of(sut, event.aggregate_id)}&lang={lang}&format={layout}"

    first = await sut.client.get(url)
    with monkeypatch.context() as patch:

        async def no_more(*_: object) -> bytes:
            raise AssertionError("drawn twice")

        patch.setattr("billing.receipts.renderer.Renderer.pdf", no_more)
        second = await sut.client.get(url)

    assert title in text_of(first.content)
    assert second.content == first.content
    assert second.headers["etag"] == first.headers["etag"]


async def test_a_store_that_is_down_or_damaged_does_not_keep_a_receipt_from_its_buyer(
    sut: ServiceUnderTest, shop: Any, issued: Any, objects: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    event, document = await issued(shop)
    url = link_of(sut, event.aggregate_id)
    before = (await sut.client.get(url)).content
    with monkeypatch.context() as patch:

        async def down(*_: object) -> bytes:
            raise ObjectStoreUnavailable("OSError")

        patch.setattr("chassis.objectstore.LocalFolder.get", down)
        patch.setattr("chassis.objectstore.LocalFolder.put", down)
        assert (await sut.client.get(url)).content == before

    for pointer in (objects / "keys" / "receipts" / str(shop.business.id) / document["id"]).iterdir():
        pointer.write_bytes(b"{damaged")
    assert (await sut.client.get(url)).content == before
    assert (await sut.client.get(url)).content == before


async def test_an_unknown_sale(sut: ServiceUnderTest, shop: Any) -> None:
    answer = await sut.client.get(f"/api/v1/receipts/{new_id()}", headers=sut.as_(shop.owner))

    assert (answer.status_code, answer.json()["code"]) == (404, "invoice_not_found")
