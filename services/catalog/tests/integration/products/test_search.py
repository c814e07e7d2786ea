from datetime import timedelta

import pytest
from chassis.testing.tokens import make_principal
from sqlalchemy import text

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    "q",
    [
        "cafe",
        "CAFÉ",
        "caf",
        "olla café",
        "olla-caf",
        "tradicional",
        "bebidas",
        "caf-250",
        "CAF-250",
        "7501234567890",
        "75012345",
        "cafee de olla",
        "trqdicional",
        "lla",
        "acúcar",
        "açucar",
        "azucr morena",
        "'cafe",
        "café & (olla",
    ],
)
async def test_a_product_is_found_by(shop, q) -> None:
    await shop.product(
        name="Café de olla",
        sku="CAF-250",
        barcode="7501234567890",
        category="Bebidas",
        description="Tradicional, com açúcar; azúcar morena",
    )
    await shop.product(name="Jabón")

    assert await shop.search(q=q) == ["Café de olla"]


@pytest.mark.parametrize("q", ["té", "olla jabón", "!!!", "%", "_", "'; --", "🌮"])
async def test_a_product_is_not_found_by(shop, q) -> None:
    await shop.product(name="Café de olla", description="Tradicional")

    assert await shop.search(q=q) == []


@pytest.mark.parametrize(
    "query",
    [
        {"q": "\x00"},
        {"q": ""},
        {"q": "x" * 201},
        {"category": "a\x00"},
        {"businessId": "x"},
        {"lowStock": "maybe"},
        {"limit": "101"},
        {"page": "0"},
        {"cursor": "nonsense"},
    ],
)
async def test_bad_queries_are_named(shop, query) -> None:
    answer = await shop.request("GET", "", params=query)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == list(query)


async def test_filters(shop) -> None:
    await shop.product(name="a", category="Bebidas", barcode="1", sku="S1", stock=10, minStock=5)
    await shop.product(name="b", category="Bebidas", isActive=False, stock=5, minStock=5)
    await shop.product(name="c", category="Pan")

    assert await shop.search() == ["c", "b", "a"]
    assert await shop.search(category="Bebidas") == ["b", "a"]
    assert await shop.search(barcode="1") == await shop.search(sku="S1") == ["a"]
    assert await shop.search(isActive=True) == ["c", "a"]
    assert await shop.search(lowStock=True) == ["c", "b"]
    assert await shop.search(lowStock=False) == ["a"]
    assert await shop.search(category="Bebidas", lowStock=True, isActive=False, q="b") == ["b"]


async def test_a_list_without_business_shows_all_of_the_callers(shop, other_shop) -> None:
    await shop.product(name="mine")
    await other_shop.product(name="also mine")
    both = make_principal(owns=[shop.business.id, other_shop.business.id])

    answer = await shop.request("GET", "", by=both)

    assert {product["name"] for product in answer.json()["data"]} == {"mine", "also mine"}


async def test_pages_and_cursors_show_everything_once(shop) -> None:
    for number in range(7):
        await shop.product(name=f"p{number}")
        shop.sut.clock.advance(timedelta(seconds=1))

    by_page = [name for page in (1, 2, 3) for name in await shop.search(limit=3, page=page)]
    by_cursor, cursor = [], None
    while True:
        query = {"businessId": str(shop.business.id), "limit": 3, **({"cursor": cursor} if cursor else {})}
        answer = (await shop.request("GET", "", params=query)).json()
        by_cursor += [product["name"] for product in answer["data"]]
        cursor = answer["meta"]["nextCursor"]
        if cursor is None:
            break

    assert by_page == by_cursor == [f"p{number}" for number in reversed(range(7))]
    assert answer["meta"]["total"] == 7


async def test_what_has_the_words_hides_what_merely_resembles_them(shop) -> None:
    await shop.product(name="Cafetera")
    await shop.product(name="Caffé")

    assert await shop.search(q="cafet") == ["Cafetera"]
    assert await shop.search(q="cafetara") == ["Cafetera"]
    assert await shop.search(q="cafetara", page=2) == []


async def test_row_level_security_leaves_the_search_its_indexes(shop):
    """An index serves a condition below a policy only if its operator is leakproof."""
    statement = text(
        "SELECT proname, proleakproof FROM pg_proc"
        " WHERE proname IN ('ts_match_vq', 'word_similarity_op', 'word_similarity_commutator_op')"
    )
    async with shop.sut.kit.database.read() as session:
        found = {row.proname: row.proleakproof for row in await session.execute(statement)}
    assert found == {"ts_match_vq": True, "word_similarity_op": True, "word_similarity_commutator_op": True}


async def test_categories_are_those_of_what_is_sold(shop, other_shop) -> None:
    for name, category in (("a", "Bebidas"), ("b", "Abarrotes"), ("c", "Bebidas"), ("d", None)):
        await shop.product(name=name, category=category)
    gone = await shop.product(category="Agotados")
    await shop.request("DELETE", f"/{gone['id']}")
    await other_shop.product(category="Ajenos")

    async def categories(by):
        query = {"businessId": str(shop.business.id)}
        return await shop.request("GET", "/categories", by=by, params=query)

    assert (await categories(shop.employee())).json()["data"] == ["Abarrotes", "Bebidas"]
    assert (await categories(other_shop.owner)).status_code == 404
