"""The files of submissions in the object store, each encrypted and bound to its submission and name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from uuid import UUID

from chassis.crypto import FieldCipher, key_id_of
from chassis.objectstore import ObjectStore

_CONTENT_TYPE = "application/octet-stream"


class DocumentVault:
    """Every method may raise ObjectStoreUnavailable."""

    def __init__(self, store: ObjectStore, cipher: FieldCipher) -> None:
        self._store = store
        self._cipher = cipher

    @property
    def key_id(self) -> str:
        """The key that `put` encrypts under."""
        return self._cipher.current_key_id

    async def put(self, submission_id: UUID, name: str, content: bytes) -> None:
        place = _place(submission_id, name)
        # Megabytes take milliseconds, which the event loop has not.
        sealed = await asyncio.to_thread(self._cipher.encrypt_file, content, context=place)
        await self._store.put(_key(submission_id, name), sealed, _CONTENT_TYPE)

    async def get(self, submission_id: UUID, name: str) -> bytes:
        """Raises ObjectNotFound, ObjectCorrupted, DecryptionFailed."""
        sealed = await self._store.get(_key(submission_id, name))
        return await asyncio.to_thread(self._cipher.decrypt_file, sealed, context=_place(submission_id, name))

    async def delete(self, submission_id: UUID, names: Iterable[str]) -> None:
        for name in names:
            await self._store.delete(_key(submission_id, name))

    async def reencrypt(self, submission_id: UUID, name: str) -> bool:
        """Put the file under the current key. False when it was already. Raises what `get` raises."""
        sealed = await self._store.get(_key(submission_id, name))
        if key_id_of(sealed) == self.key_id:
            return False
        place = _place(submission_id, name)
        plain = await asyncio.to_thread(self._cipher.decrypt_file, sealed, context=place)
        await self.put(submission_id, name, plain)
        return True


def _key(submission_id: UUID, name: str) -> str:
    return f"kyc/{submission_id}/{name}"


def _place(submission_id: UUID, name: str) -> str:
    return f"kyc_documents.content:{submission_id}:{name}"
