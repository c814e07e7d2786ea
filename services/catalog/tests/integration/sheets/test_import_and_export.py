import asyncio
import csv
import io
from collections import Counter

import pytest
from chassis.testing.tokens import make_principal
from contracts.events.catalog import ProductCreated, ProductUpdated, StockChanged
from kernel import new_id

pytestmark = pytest.mark.integration


async def send(shop, content, *, by=None, key=None, kind="text/csv", **query):
    headers = shop.sut.as_(by or shop.owner, **({"Idempotency-Key": key} if key else {}), **{"Content-Type": kind})
    path = "/api/v1/products/import"
    params = {"businessId": str(shop.business.id), **query}
    return await shop.sut.client.post(path, headers=headers, params=params, content=content)


async def take(shop, **query) -> str:
    answer = await shop.request("GET", "/export", params={"businessId": str(shop.business.id), **query})
    assert answer.status_code == 200, answer.text
    return answer.content.decode("utf-8-sig")


async def events(shop, kind) -> list:
    return [event for event in await shop.sut.published(kind) if event.business_id == shop.business.id]


async def test_a_file_makes_and_changes_products_with_their_stock_and_events(shop) -> None:
    old = await shop.product(name="Viejo", sku="V", price="5", cost="2", category="Abarrotes", stock=8)
    same = await shop.product(name="Igual", sku="I", price="5")
    content = "sku;nombre;precio;existencias\nV;Viejo nuevo;7,50;3\nN;Nuevo;10;4\nI;Igual;5;\n"

    answer = await send(shop, content)

    assert answer.status_code == 201, answer.text
    assert answer.json()["data"] == {"rows": 3, "created": 1, "updated": 1, "unchanged": 1, "stockMovements": 2}
    changed = (await shop.request("GET", f"/{old['id']}")).json()["data"]
    assert (changed["name"], changed["price"], changed["cost"], changed["category"]) == (
        "Viejo nuevo",
        "7.50",
        "2.00",
        "Abarrotes",
    )
    (new,) = (await shop.request("GET", "", params={"businessId": str(shop.business.id), "sku": "N"})).json()["data"]
    assert (new["taxRate"], new["isActive"], new["stock"]) == ("0.16", True, 4)
    assert [(it["type"], it["change"]) for it in await shop.movements(old["id"])] == [("ADJUSTMENT", -5), ("IN", 8)]
    assert [(it["type"], it["change"]) for it in await shop.movements(new["id"])] == [("IN", 4)]
    assert {str(event.aggregate_id) for event in await events(shop, ProductCreated)} == {
        old["id"],
        same["id"],
        new["id"],
    }
    (updated,) = await events(shop, ProductUpdated)
    assert (str(updated.aggregate_id), updated.aggregate_version, updated.category) == (old["id"], 2, "Abarrotes")
    assert updated.cost.amount == "2.00"
    assert sorted(event.change for event in await events(shop, StockChanged)) == [-5, 4, 8]
    line = (await shop.reserve({new["id"]: 1})).lines[0]
    assert line.unit_price_minor == 1000
    await shop.assert_books_balance()


async def test_all_rows_or_none_and_every_error_by_line(shop) -> None:
    held = await shop.product(name="Apartado", sku="H", stock=5)
    await shop.product(name="Otro", sku="O", barcode="77")
    await shop.reserve({held["id"]: 4})
    before = await take(shop)
    stranger = new_id()

    answer = await send(
        shop,
        "id,sku,name,price,barcode,stock\n,N1,Nuevo,1,,1\n,N1,Repetido,1,,\n,N2,Usado,1,77,\n,N3,Sin precio,,,\n"
        f"{stranger},,Ajeno,1,,\n,N4,Caro,x,,\n",
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_rows")
    assert {error["field"] for error in answer.json()["errors"]} == {
        "line 3: sku",
        "line 4: barcode",
        "line 5: price",
        "line 6: id",
        "line 7: price",
    }
    short = await send(shop, "sku,stock\nO,9\nH,3\n")
    assert [error["field"] for error in short.json()["errors"]] == ["line 3: stock"]
    assert await take(shop) == before
    assert len(await events(shop, ProductCreated)) == 2


async def test_what_is_exported_is_imported_without_a_change_and_is_no_formula(shop) -> None:
    nasty = ['=HYPERLINK("http://x")', "+1", "-2+3", "@SUM(A1)", "'=quoted", "a;b,c", 'with "quotes"', "two\nlines"]
    for number, text in enumerate(nasty):
        name = text.replace("\n", " ")
        await shop.product(name=name, description=text, sku=f"S{number}", category="@c", cost="0.5", stock=number)

    exported = await take(shop)
    rows = list(csv.reader(io.StringIO(exported)))
    again = await send(shop, exported)

    assert rows[0][:4] == ["id", "nombre", "sku", "código de barras"]
    assert len(rows) == len(nasty) + 1
    assert not [cell for row in rows for cell in row if cell[:1] in tuple("=+-@\t\r")]
    assert again.json()["data"] == {
        "rows": len(nasty),
        "created": 0,
        "updated": 0,
        "unchanged": len(nasty),
        "stockMovements": 0,
    }
    assert (await take(shop, language="pt")).startswith("id,nome,sku")
    assert len((await take(shop, category="none")).splitlines()) == 1


async def test_the_same_file_under_the_same_key_counts_once(shop, key) -> None:
    content = "name,price,stock\nSin código,1,2\n"
    answers = [await send(shop, content, key=key) for _ in range(3)]
    other = await send(shop, content + "Otro,1,1\n", key=key)

    assert [answer.status_code for answer in answers] == [201] * 3
    assert len({answer.text for answer in answers}) == 1
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert await shop.search() == ["Sin código"]


async def test_files_at_once_take_turns_and_sales_go_on(shop) -> None:
    products = [await shop.product(sku=f"P{number}", stock=50) for number in range(40)]
    content = "sku,price\n" + "".join(f"P{number},{number + 1}\n" for number in range(40))
    lines = {product["id"]: 1 for product in products}

    answers, _ = await asyncio.gather(
        asyncio.gather(*(send(shop, content) for _ in range(4))),
        asyncio.gather(*(shop.sold(lines) for _ in range(10))),
    )

    found = Counter(answer.status_code for answer in answers)
    assert found[201] >= 1
    assert found[201] + found[409] == 4
    assert {await shop.level(product["id"]) for product in products} == {(40, 0)}
    await shop.assert_books_balance()


async def test_more_than_one_batch(shop, monkeypatch) -> None:
    monkeypatch.setattr("catalog.sheets.importing._BATCH", 3)
    monkeypatch.setattr("catalog.sheets.exporting._PAGE", 4)
    content = "sku,name,price,stock\n" + "".join(f"P{number},Pan {number},{number},{number}\n" for number in range(10))

    assert (await send(shop, content)).json()["data"]["created"] == 10
    again = await send(shop, content.replace("Pan 9", "Pão 9"))
    assert again.json()["data"] == {"rows": 10, "created": 0, "updated": 1, "unchanged": 9, "stockMovements": 0}
    assert sorted(row[2] for row in csv.reader(io.StringIO(await take(shop))) if row[2] != "sku") == [
        f"P{number}" for number in range(10)
    ]
    versions = [event.aggregate_version for event in await events(shop, ProductCreated)]
    assert versions == [1] * 10


async def test_who_may_and_what_it_must_be(shop) -> None:
    content, stranger = "name,price\nPan,1\n", make_principal(owns=[new_id()])
    path, query = "/api/v1/products/export", {"businessId": str(shop.business.id)}
    exported = [
        (await shop.sut.client.get(path, headers=shop.sut.as_(who), params=query)).status_code
        for who in (shop.employee(), stranger)
    ]

    assert exported == [200, 404]
    assert (await send(shop, content, by=shop.employee())).status_code == 403
    assert (await send(shop, content, by=stranger)).status_code == 404
    assert (await send(shop, content, branchId=str(new_id()))).status_code == 404
    assert (await send(shop, content, kind="application/json")).status_code == 415
    assert (await send(shop, b"\x00" * ((16 << 20) + 1))).status_code == 413
    assert [(await send(shop, wrong)).json()["code"] for wrong in ("", "name,price\n", "x,y\n")] == [
        "invalid_header",
        "no_rows",
        "invalid_header",
    ]
    assert (await send(shop, "name,price\nPan,1\x00\n")).status_code == 400
    assert await shop.search() == []
