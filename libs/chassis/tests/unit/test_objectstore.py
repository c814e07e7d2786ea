import asyncio
from pathlib import Path

import pytest
from chassis.objectstore import (
    LocalFolder,
    ObjectCorrupted,
    ObjectNotFound,
    ObjectStoreUnavailable,
    open_object_store,
)
from hypothesis import given
from hypothesis import strategies as st

PDF = "application/pdf"


@pytest.fixture
def store(tmp_path: Path) -> LocalFolder:
    return LocalFolder(tmp_path / "objects")


async def test_what_was_put_is_what_comes_back(store: LocalFolder) -> None:
    stored = await store.put("receipts/a/b.pdf", b"%PDF-1.4", PDF)

    assert await store.get("receipts/a/b.pdf") == b"%PDF-1.4"
    assert await store.exists("receipts/a/b.pdf")
    assert (stored.size, stored.content_type) == (8, PDF)


async def test_nothing_under_a_key(store: LocalFolder) -> None:
    assert not await store.exists("receipts/none.pdf")
    with pytest.raises(ObjectNotFound):
        await store.get("receipts/none.pdf")


async def test_a_put_replaces_and_the_same_put_changes_nothing(store: LocalFolder) -> None:
    first = await store.put("k.pdf", b"one", PDF)
    assert await store.put("k.pdf", b"one", PDF) == first

    await store.put("k.pdf", b"two", PDF)

    assert await store.get("k.pdf") == b"two"


async def test_keys_with_the_same_bytes_do_not_disturb_each_other(store: LocalFolder) -> None:
    await asyncio.gather(*(store.put(f"same/{number}.pdf", b"bytes", PDF) for number in range(20)))
    await store.put("same/0.pdf", b"others", PDF)

    assert await store.get("same/1.pdf") == b"bytes"


async def test_damage_is_noticed_and_mended_by_the_next_put(store: LocalFolder, tmp_path: Path) -> None:
    await store.put("k.pdf", b"whole", PDF)
    (blob,) = (tmp_path / "objects" / "blobs").rglob("*.pdf")
    blob.write_bytes(b"broken")

    with pytest.raises(ObjectCorrupted):
        await store.get("k.pdf")
    await store.put("k.pdf", b"whole", PDF)
    assert await store.get("k.pdf") == b"whole"


async def test_a_damaged_pointer_and_a_lost_blob_are_corruption(store: LocalFolder, tmp_path: Path) -> None:
    await store.put("k.pdf", b"whole", PDF)
    (blob,) = (tmp_path / "objects" / "blobs").rglob("*.pdf")
    blob.unlink()
    with pytest.raises(ObjectCorrupted):
        await store.get("k.pdf")

    (tmp_path / "objects" / "keys" / "k.pdf.json").write_bytes(b"{")
    with pytest.raises(ObjectCorrupted):
        await store.get("k.pdf")


async def test_what_was_replaced_or_deleted_is_gone_from_the_disk(store: LocalFolder, tmp_path: Path) -> None:
    def on_disk() -> bytes:
        return b"".join(path.read_bytes() for path in (tmp_path / "objects").rglob("*") if path.is_file())

    await store.put("k.pdf", b"first bytes", PDF)
    await store.put("other.pdf", b"first bytes", PDF)
    await store.put("k.pdf", b"second bytes", PDF)
    assert on_disk().count(b"first bytes") == 1

    await store.delete("k.pdf")
    assert not await store.exists("k.pdf")
    assert b"second bytes" not in on_disk()
    with pytest.raises(ObjectNotFound):
        await store.get("k.pdf")
    await store.delete("k.pdf")
    await store.delete("never/there.pdf")
    assert await store.get("other.pdf") == b"first bytes"


async def test_a_reader_sees_one_object_or_the_other_while_it_is_replaced(store: LocalFolder) -> None:
    versions = [bytes([number]) * 1000 for number in range(30)]
    await store.put("k.bin", versions[0], PDF)

    async def replace() -> None:
        for version in versions:
            await store.put("k.bin", version, PDF)

    async def read() -> None:
        for _ in range(100):
            assert await store.get("k.bin") in versions

    await asyncio.gather(replace(), read(), read())


async def test_a_damaged_object_can_be_deleted_and_put_anew(store: LocalFolder, tmp_path: Path) -> None:
    await store.put("k.pdf", b"whole", PDF)
    pointer = tmp_path / "objects" / "keys" / "k.pdf.json"
    for damage in (b"{}", b"[]", b'{"blob": "../../etc/passwd"}', b"\xff"):
        pointer.write_bytes(damage)
        with pytest.raises(ObjectCorrupted):
            await store.get("k.pdf")
        await store.put("k.pdf", b"whole", PDF)
        assert await store.get("k.pdf") == b"whole"
    pointer.write_bytes(b"{")
    await store.delete("k.pdf")
    assert not await store.exists("k.pdf")


async def test_an_interrupted_write_leaves_nothing_behind(
    store: LocalFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ObjectStoreUnavailable):
        await store.put("k.pdf", b"whole", PDF)

    assert not await store.exists("k.pdf")
    assert [path for path in (tmp_path / "objects").rglob("*") if path.is_file()] == []


HOSTILE = [
    "",
    "/etc/passwd",
    "../up",
    "a/../../up",
    "a//b",
    "a/",
    ".hidden",
    "a\x00b",
    "a\nb",
    "a b",
    "ñ",
    "a/" * 9 + "b",
]


@pytest.mark.parametrize("key", HOSTILE)
async def test_a_key_that_could_leave_the_folder_is_refused(store: LocalFolder, key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        await store.put(key, b"", PDF)


@given(key=st.text(alphabet="ab./\\-_~%", max_size=40))
def test_no_key_leads_out_of_the_folder(key: str) -> None:
    root = Path("/objects")
    try:
        pointer = LocalFolder(root)._pointer(key)
    except ValueError:
        return
    assert (root / "keys") in Path(*pointer.parts).parents
    assert ".." not in pointer.parts


def test_stores_are_named_by_url(tmp_path: Path) -> None:
    assert isinstance(open_object_store(tmp_path.as_uri()), LocalFolder)
    for url in ("file://elsewhere/objects", "s4://bucket", "objects", "file:relative"):
        with pytest.raises(ValueError, match="object store"):
            open_object_store(url)
