"""Objects in S3, against a server that speaks its API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from chassis.objectstore import (
    ObjectCorrupted,
    ObjectNotFound,
    ObjectStore,
    ObjectStoreUnavailable,
    StoredObject,
    open_object_store,
)

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def client(server: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    import boto3

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    client = boto3.client("s3", endpoint_url=server, region_name="us-east-1")
    client.create_bucket(Bucket="papers")
    return client


@pytest.fixture
def store(server: str, client: Any) -> ObjectStore:
    return open_object_store(f"s3://papers/cobro?endpoint={server}&region=us-east-1")


async def test_what_was_put_is_what_is_read(store: ObjectStore, client: Any) -> None:
    content = "<xml>ñ</xml>".encode()
    stored = await store.put("invoices/1/document.xml", content, "application/xml")
    assert stored == StoredObject(stored.sha256, len(content), "application/xml")
    assert await store.get("invoices/1/document.xml") == content
    assert await store.exists("invoices/1/document.xml")
    head = client.head_object(Bucket="papers", Key="cobro/invoices/1/document.xml")
    assert (head["ContentType"], head["Metadata"]) == ("application/xml", {"sha256": stored.sha256})


async def test_what_was_changed_behind_our_back_is_told(store: ObjectStore, client: Any) -> None:
    stored = await store.put("a.pdf", b"%PDF", "application/pdf")
    client.put_object(Bucket="papers", Key="cobro/a.pdf", Body=b"%PDX", Metadata={"sha256": stored.sha256})
    with pytest.raises(ObjectCorrupted):
        await store.get("a.pdf")


async def test_what_is_not_there(store: ObjectStore) -> None:
    assert not await store.exists("none")
    await store.delete("none")
    with pytest.raises(ObjectNotFound):
        await store.get("none")
    await store.put("gone", b"1", "text/plain")
    await store.delete("gone")
    with pytest.raises(ObjectNotFound):
        await store.get("gone")


async def test_no_key_leaves_its_place(store: ObjectStore) -> None:
    for key in ("../a", "/a", "a//b", ".a", "a\x00"):
        with pytest.raises(ValueError, match="not a key"):
            await store.put(key, b"", "text/plain")


@pytest.mark.parametrize("url", ["s3:///cobro", "s3://papers?acl=public"])
def test_a_url_that_names_no_bucket(url: str) -> None:
    with pytest.raises(ValueError, match="a bucket is named by"):
        open_object_store(url)


async def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-bucket")
    store = open_object_store("s3://papers?endpoint=http://127.0.0.1:1")
    with pytest.raises(ObjectStoreUnavailable) as told:
        await store.get("a")
    assert "secret" not in str(told.value)
