"""Documents in the object store, for the command `re-encrypt`."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from chassis.crypto import DecryptionFailed, FieldCipher
from chassis.database import Database, UnitOfWork
from chassis.objectstore import ObjectStoreError
from chassis.reencryption import Progress
from chassis.telemetry.logs import get_logger
from sqlalchemy import func, select

from auth.kyc.models import KycDocument, KycSubmission
from auth.kyc.vault import DocumentVault

log = get_logger(__name__)

_AT_ONCE = 100


class KycDocuments:
    """`kyc_documents.key_id` names the key of each file; the file itself says it too, and is believed."""

    def __init__(self, vault: DocumentVault) -> None:
        self._vault = vault

    @property
    def name(self) -> str:
        return "kyc_documents"

    async def reencrypt(self, database: Database, cipher: FieldCipher, progress: Progress) -> None:
        after = UUID(int=0)
        while True:
            statement = (
                select(KycDocument.id)
                .join(KycSubmission, KycSubmission.id == KycDocument.submission_id)
                .where(
                    KycDocument.id > after,
                    KycDocument.key_id != cipher.current_key_id,
                    KycSubmission.documents_deleted_at.is_(None),
                )
                .order_by(KycDocument.id)
                .limit(_AT_ONCE)
            )
            async with database.read() as session:
                found = (await session.scalars(statement)).all()
            for document_id in found:
                progress(await self._one(database, cipher, document_id))
            if len(found) < _AT_ONCE:
                return
            after = found[-1]

    async def remaining(self, database: Database, cipher: FieldCipher) -> Mapping[str, int]:
        statement = (
            select(KycDocument.key_id, func.count())
            .join(KycSubmission, KycSubmission.id == KycDocument.submission_id)
            .where(KycDocument.key_id != cipher.current_key_id, KycSubmission.documents_deleted_at.is_(None))
            .group_by(KycDocument.key_id)
        )
        async with database.read() as session:
            return {row[0]: row[1] for row in await session.execute(statement)}

    async def _one(self, database: Database, cipher: FieldCipher, document_id: UUID) -> int:
        async def work(unit: UnitOfWork) -> int:
            # The submission's lock keeps its documents from being deleted while one of them is put anew.
            statement = (
                select(KycDocument)
                .join(KycSubmission, KycSubmission.id == KycDocument.submission_id)
                .where(KycDocument.id == document_id, KycSubmission.documents_deleted_at.is_(None))
                .with_for_update(skip_locked=True)
            )
            document = await unit.session.scalar(statement)
            if document is None:
                return 0
            try:
                rewritten = await self._vault.reencrypt(document.submission_id, document.name)
            except (ObjectStoreError, DecryptionFailed) as error:
                log.warning("reencryption.file_left", document_id=str(document_id), error=type(error).__name__)
                return 0
            document.key_id = cipher.current_key_id
            return int(rewritten)

        return await database.run(work)
