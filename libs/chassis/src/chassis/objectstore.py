"""Object storage: a small port, and behind it a local folder or whatever speaks S3's API. Another kind of store is a
class and a line in `_STORES`.

ObjectStoreError
├── ObjectNotFound          nothing was put under this key
├── ObjectCorrupted         what is stored is no longer what was put
└── ObjectStoreUnavailable  the store cannot be reached, is full or refuses: try again
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

if TYPE_CHECKING:
    from obstore.store import S3Store

T = TypeVar("T")

# No segment begins with a dot, so that none of them is "..", and no key leaves its folder.
_KEY: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}(?:/[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}){0,7}")


class ObjectStoreError(Exception):
    pass


class ObjectNotFound(ObjectStoreError):
    pass


class ObjectCorrupted(ObjectStoreError):
    pass


class ObjectStoreUnavailable(ObjectStoreError):
    pass


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What is known of an object without reading it. sha256: of its bytes, in hexadecimal."""

    sha256: str
    size: int
    content_type: str


class ObjectStore(Protocol):
    """Keys are 1 to 8 segments of A-Z a-z 0-9 . _ - joined by slashes, none beginning with a dot (else ValueError).

    A put replaces as a whole: a reader, or a crash, sees the old object or the new one. What was replaced or deleted is
    gone from the store. Every method may raise ObjectStoreUnavailable.
    """

    async def put(self, key: str, content: bytes, content_type: str) -> StoredObject:
        """Store durably. Putting the same bytes again is harmless."""
        ...

    async def get(self, key: str) -> bytes:
        """The bytes, checked against their checksum. Raises ObjectNotFound, ObjectCorrupted."""
        ...

    async def exists(self, key: str) -> bool: ...

    async def delete(self, key: str) -> None:
        """Deleting what is not there is harmless."""
        ...


@dataclass(frozen=True, slots=True)
class _Pointer:
    """The content of a pointer file: what is known of the object, and the blob that holds its bytes."""

    stored: StoredObject
    blob: str

    def to_json(self) -> bytes:
        return orjson.dumps({**asdict(self.stored), "blob": self.blob})

    @classmethod
    def from_json(cls, content: bytes) -> _Pointer:
        """Raises ValueError, TypeError, KeyError or AttributeError on anything else than a pointer."""
        fields = orjson.loads(content)
        blob = fields.pop("blob")
        if not _KEY.fullmatch(blob):
            raise ValueError
        return cls(StoredObject(**fields), blob)


class LocalFolder:
    """A folder on this machine, or a volume shared by several.

    The bytes lie in a blob of their own (`blobs/ab/ab12….pdf`), and a small pointer under the key (`keys/<key>.json`)
    names it. The pointer is renamed into place last, so that it never names half a blob. No two puts share a blob, so
    that whoever replaces or deletes an object can remove the bytes.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, key: str, content: bytes, content_type: str) -> StoredObject:
        path = self._pointer(key)
        stored = StoredObject(sha256(content).hexdigest(), len(content), content_type)
        name = secrets.token_hex(16)
        # With the key's suffix, so that a person may open the file.
        pointer = _Pointer(stored, f"{name[:2]}/{name}{path.with_suffix('').suffix}")

        def write() -> StoredObject:
            former = _pointer_or_none(path)
            if former is not None and former.stored == stored and self._is_whole(former):
                return stored
            _write_durably(self._blob(pointer), content)
            _write_durably(path, pointer.to_json())
            if former is not None:
                self._blob(former).unlink(missing_ok=True)
            return stored

        return await _in_thread(write)

    async def get(self, key: str) -> bytes:
        path = self._pointer(key)

        def read() -> bytes:
            pointer = _read_pointer(path)
            while True:
                try:
                    content = self._blob(pointer).read_bytes()
                    break
                except FileNotFoundError:
                    # Replaced between the two reads: then the pointer names another blob by now.
                    lost, pointer = pointer, _read_pointer(path)
                    if pointer == lost:
                        raise ObjectCorrupted(key) from None
            if sha256(content).hexdigest() != pointer.stored.sha256:
                raise ObjectCorrupted(key)
            return content

        return await _in_thread(read)

    async def delete(self, key: str) -> None:
        path = self._pointer(key)

        def remove() -> None:
            former = _pointer_or_none(path)
            # The bytes first: after a crash in between, the pointer is still there to delete by.
            if former is not None:
                self._blob(former).unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            _sync_folder(path.parent)

        await _in_thread(remove)

    async def exists(self, key: str) -> bool:
        return await _in_thread(self._pointer(key).is_file)

    def _pointer(self, key: str) -> Path:
        return self._root / "keys" / f"{_checked(key)}.json"

    def _blob(self, pointer: _Pointer) -> Path:
        return self._root / "blobs" / pointer.blob

    def _is_whole(self, pointer: _Pointer) -> bool:
        try:
            return sha256(self._blob(pointer).read_bytes()).hexdigest() == pointer.stored.sha256
        except FileNotFoundError:
            return False


class Bucket:
    """A bucket of S3, or of a store that speaks its API, with an optional prefix to every key.

    The SHA-256 of the bytes travels with the object as metadata and is compared at every read. A put replaces as a
    whole, as S3 does.
    """

    def __init__(self, store: S3Store) -> None:
        self._store = store

    async def put(self, key: str, content: bytes, content_type: str) -> StoredObject:
        import obstore  # noqa: PLC0415

        stored = StoredObject(sha256(content).hexdigest(), len(content), content_type)
        attributes: dict[Any, str] = {"Content-Type": content_type, _CHECKSUM: stored.sha256}
        await _at_store(obstore.put_async(self._store, _checked(key), content, attributes=attributes))
        return stored

    async def get(self, key: str) -> bytes:
        import obstore  # noqa: PLC0415

        answer = await _at_store(obstore.get_async(self._store, _checked(key)))
        content = bytes(await _at_store(answer.bytes_async()))
        attributes: Mapping[Any, str] = answer.attributes
        if attributes.get(_CHECKSUM) != sha256(content).hexdigest():
            raise ObjectCorrupted(key)
        return content

    async def exists(self, key: str) -> bool:
        import obstore  # noqa: PLC0415

        try:
            await _at_store(obstore.head_async(self._store, _checked(key)))
        except ObjectNotFound:
            return False
        return True

    async def delete(self, key: str) -> None:
        import obstore  # noqa: PLC0415

        with contextlib.suppress(ObjectNotFound):
            await _at_store(obstore.delete_async(self._store, _checked(key)))


# Of the object's own metadata: x-amz-meta-sha256.
_CHECKSUM: Final = "sha256"
_S3_TIMEOUT: Final = "10s"
_S3_CONNECT_TIMEOUT: Final = "3s"


def _bucket(url: str) -> ObjectStore:
    """s3://bucket/prefix?endpoint=https://…&region=…; the keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY,
    or from the role of the machine, as in any client of S3."""
    # A service that keeps its objects in a folder need not hold it.
    from obstore.store import S3Store  # noqa: PLC0415

    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    if not parts.netloc or options.keys() - {"endpoint", "region"}:
        raise ValueError("a bucket is named by s3://bucket/prefix?endpoint=…&region=…")
    endpoint = options.get("endpoint", "")
    more: dict[str, Any] = {"endpoint": endpoint} if endpoint else {}
    return Bucket(
        S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            region=options.get("region", "us-east-1"),
            client_options={
                "timeout": _S3_TIMEOUT,
                "connect_timeout": _S3_CONNECT_TIMEOUT,
                "allow_http": endpoint.startswith("http://"),
            },
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=10)},
            **more,
        )
    )


async def _at_store(call: Awaitable[T]) -> T:
    from obstore.exceptions import BaseError, NotFoundError  # noqa: PLC0415

    try:
        return await call
    except (NotFoundError, FileNotFoundError) as error:
        raise ObjectNotFound(type(error).__name__) from None
    except (BaseError, OSError) as error:
        # Its messages quote addresses and answers, so only the kind of error is told.
        raise ObjectStoreUnavailable(type(error).__name__) from None


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key[:200]!r} is not a key of an object")
    return key


def _local_folder(url: str) -> ObjectStore:
    parts = urlsplit(url)
    path = Path(unquote(parts.path))
    if parts.netloc not in ("", "localhost") or not path.is_absolute():
        raise ValueError("a local object store is named by file:///absolute/folder")
    return LocalFolder(path)


_STORES: Final[Mapping[str, Callable[[str], ObjectStore]]] = MappingProxyType({"file": _local_folder, "s3": _bucket})


def open_object_store(url: str) -> ObjectStore:
    """The store an OBJECT_STORE_URL names: file:///var/lib/cobro/objects, s3://bucket/prefix. Raises ValueError."""
    scheme = urlsplit(url).scheme
    opener = _STORES.get(scheme)
    if opener is None:
        raise ValueError(f"no object store for {scheme!r} URLs; known are {', '.join(_STORES)}")
    return opener(url)


async def _in_thread(work: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        raise ObjectStoreUnavailable(type(error).__name__) from error


def _read_pointer(path: Path) -> _Pointer:
    try:
        return _Pointer.from_json(path.read_bytes())
    except FileNotFoundError:
        raise ObjectNotFound(path.stem) from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ObjectCorrupted(path.stem) from None


def _pointer_or_none(path: Path) -> _Pointer | None:
    """None also for a damaged one, which names nothing that could be removed."""
    try:
        return _read_pointer(path)
    except ObjectStoreError:
        return None


def _write_durably(target: Path, content: bytes) -> None:
    """The file is complete under its name or not there at all, also after a power cut."""
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make a name that came or went survive a power cut."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
