"""Object storage: a small port, and a local folder behind it. Another kind of store is a class and a line in `_STORES`.

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
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol, TypeVar
from urllib.parse import unquote, urlsplit

import orjson

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

    A put replaces as a whole: a reader, or a crash, sees the old object or the new one. Every method may raise
    ObjectStoreUnavailable.
    """

    async def put(self, key: str, content: bytes, content_type: str) -> StoredObject:
        """Store durably. Putting the same bytes again is harmless."""
        ...

    async def get(self, key: str) -> bytes:
        """The bytes, checked against their checksum. Raises ObjectNotFound, ObjectCorrupted."""
        ...

    async def exists(self, key: str) -> bool: ...


class LocalFolder:
    """A folder on this machine, or a volume shared by several.

    The bytes lie under their own checksum (`blobs/ab/ab12….pdf`), and a small pointer under the key
    (`keys/<key>.json`) names them. The pointer is renamed into place last, so that it never names half a blob.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, key: str, content: bytes, content_type: str) -> StoredObject:
        pointer = self._pointer(key)
        stored = StoredObject(sha256(content).hexdigest(), len(content), content_type)
        blob = self._blob(key, stored.sha256)

        def write() -> StoredObject:
            # A blob that is there is whole, unless something outside damaged it: then it is written anew.
            if not blob.is_file() or sha256(blob.read_bytes()).hexdigest() != stored.sha256:
                _write_durably(blob, content)
            _write_durably(pointer, orjson.dumps(asdict(stored)))
            return stored

        return await _in_thread(write)

    async def get(self, key: str) -> bytes:
        pointer = self._pointer(key)

        def read() -> bytes:
            stored = _read_pointer(pointer)
            try:
                content = self._blob(key, stored.sha256).read_bytes()
            except FileNotFoundError:
                raise ObjectCorrupted(key) from None
            if sha256(content).hexdigest() != stored.sha256:
                raise ObjectCorrupted(key)
            return content

        return await _in_thread(read)

    async def exists(self, key: str) -> bool:
        return await _in_thread(self._pointer(key).is_file)

    def _pointer(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key[:200]!r} is not a key of an object")
        return self._root / "keys" / f"{key}.json"

    def _blob(self, key: str, digest: str) -> Path:
        # With the key's suffix, so that a person may open the file.
        return self._root / "blobs" / digest[:2] / f"{digest}{Path(key).suffix}"


def _local_folder(url: str) -> ObjectStore:
    parts = urlsplit(url)
    path = Path(unquote(parts.path))
    if parts.netloc not in ("", "localhost") or not path.is_absolute():
        raise ValueError("a local object store is named by file:///absolute/folder")
    return LocalFolder(path)


_STORES: Final[Mapping[str, Callable[[str], ObjectStore]]] = MappingProxyType({"file": _local_folder})


def open_object_store(url: str) -> ObjectStore:
    """The store an OBJECT_STORE_URL names, such as file:///var/lib/cobro/objects. Raises ValueError."""
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


def _read_pointer(pointer: Path) -> StoredObject:
    try:
        return StoredObject(**orjson.loads(pointer.read_bytes()))
    except FileNotFoundError:
        raise ObjectNotFound(pointer.stem) from None
    except (ValueError, TypeError):
        raise ObjectCorrupted(pointer.stem) from None


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
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
