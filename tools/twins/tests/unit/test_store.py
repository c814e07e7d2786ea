from __future__ import annotations

from pathlib import Path

from twins.store import Store


def test_finds_by_key_newest_first_and_keeps_the_order_of_arrival() -> None:
    store = Store()
    for name in ("a", "b", "c"):
        store.put("thing", name, {"name": name}, keys=["all", name])
    store.put("thing", "a", {"name": "a again"}, keys=["more"])
    assert [found["name"] for found in store.find("thing", "all")] == ["c", "b", "a again"]
    assert [found["name"] for found in store.find("thing", "more")] == ["a again"]
    assert [found["name"] for found in store.newest("thing", 2)] == ["c", "b"]
    assert [found["name"] for found in store.newest("thing", 2, after="b")] == ["a again"]
    assert store.find("other", "all") == []


def test_lists_what_is_due_and_when_the_next_is() -> None:
    store = Store()
    store.put("thing", "late", {}, due=20.0)
    store.put("thing", "early", {}, due=10.0)
    store.put("thing", "never", {})
    assert store.next_due("thing") == 10.0
    assert store.due("thing", 9.9) == []
    assert store.due("thing", 20.0) == ["early", "late"]
    store.put("thing", "early", {})
    assert store.due("thing", 20.0) == ["late"]
    store.delete("thing", "late")
    assert store.next_due("thing") is None


def test_what_was_put_outlives_the_process(tmp_path: Path) -> None:
    path = tmp_path / "deeper" / "twins.sqlite3"
    first = Store(path)
    first.put("thing", "a", {"ñ": "✓"}, keys=["k"])
    # Not closed: as after a kill.
    assert Store(path).find("thing", "k") == [{"ñ": "✓"}]
    first.close()


def test_clearing_forgets_the_named_kinds_only() -> None:
    store = Store()
    store.put("a", "1", {}, keys=["k"])
    store.put("b", "1", {})
    store.clear("a")
    assert store.get("a", "1") is None
    assert store.find("a", "k") == []
    assert store.get("b", "1") == {}
