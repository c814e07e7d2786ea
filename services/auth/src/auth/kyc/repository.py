"""Queries for submissions, their documents, and uploads under way."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from chassis.http.pagination import PageParams, Slice, fetch_page
from sqlalchemy import Select, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from auth.kyc.models import KycDocument, KycSubmission, KycUpload
from auth.kyc.status import SubmissionStatus


async def find(session: AsyncSession, submission_id: UUID) -> KycSubmission | None:
    return await session.get(KycSubmission, submission_id)


async def lock(session: AsyncSession, submission_id: UUID) -> KycSubmission | None:
    """The submission as it is now, whatever this session saw of it before."""
    statement = select(KycSubmission).where(KycSubmission.id == submission_id).with_for_update()
    return await session.scalar(statement, execution_options={"populate_existing": True})


async def has_open(session: AsyncSession, user_id: UUID) -> bool:
    statement = select(KycSubmission.id).where(
        KycSubmission.user_id == user_id, KycSubmission.status == SubmissionStatus.PENDING.value
    )
    return await session.scalar(statement) is not None


async def documents(session: AsyncSession, submission_id: UUID) -> Sequence[KycDocument]:
    statement = select(KycDocument).where(KycDocument.submission_id == submission_id).order_by(KycDocument.name.desc())
    return (await session.scalars(statement)).all()


async def document(session: AsyncSession, submission_id: UUID, name: str) -> KycDocument | None:
    statement = select(KycDocument).where(KycDocument.submission_id == submission_id, KycDocument.name == name)
    return await session.scalar(statement)


async def other_accounts(session: AsyncSession, submission: KycSubmission) -> int:
    """Users beside this one who have submitted the same document or tax id."""
    statement = select(func.count(KycSubmission.user_id.distinct())).where(
        KycSubmission.identity_index == submission.identity_index, KycSubmission.user_id != submission.user_id
    )
    return int(await session.scalar(statement) or 0)


async def page(
    session: AsyncSession,
    params: PageParams,
    *,
    user_id: UUID | None,
    status: SubmissionStatus | None,
    level: int | None,
) -> Slice:
    """Newest first; every None is no filter."""
    statement: Select[KycSubmission] = select(KycSubmission)
    if user_id is not None:
        statement = statement.where(KycSubmission.user_id == user_id)
    if status is not None:
        statement = statement.where(KycSubmission.status == status.value)
    if level is not None:
        statement = statement.where(KycSubmission.level == level)
    return await fetch_page(session, statement, params, created_at=KycSubmission.created_at, id=KycSubmission.id)


async def begin_upload(
    session: AsyncSession, submission_id: UUID, user_id: UUID, names: Collection[str], now: datetime
) -> None:
    """Also again, for a try that takes up an abandoned one."""
    fresh = {"names": sorted(names), "started_at": now}
    statement = insert(KycUpload).values(id=submission_id, user_id=user_id, **fresh)
    await session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=fresh))


async def end_upload(session: AsyncSession, submission_id: UUID) -> bool:
    """False when it had ended already: by another try, or because it was given up."""
    statement = delete(KycUpload).where(KycUpload.id == submission_id).returning(KycUpload.id)
    return await session.scalar(statement) is not None


async def lock_upload(session: AsyncSession, submission_id: UUID) -> KycUpload | None:
    return await session.scalar(select(KycUpload).where(KycUpload.id == submission_id).with_for_update())


async def abandoned(session: AsyncSession, *, started_before: datetime, limit: int) -> Sequence[UUID]:
    statement = (
        select(KycUpload.id).where(KycUpload.started_at < started_before).order_by(KycUpload.started_at).limit(limit)
    )
    return (await session.scalars(statement)).all()


async def expired(
    session: AsyncSession, *, approved_before: datetime, others_before: datetime, limit: int
) -> Sequence[UUID]:
    """Closed submissions whose documents have been kept long enough."""
    approved = KycSubmission.status == SubmissionStatus.APPROVED.value
    statement = (
        select(KycSubmission.id)
        .where(
            KycSubmission.closed_at.is_not(None),
            KycSubmission.documents_deleted_at.is_(None),
            or_(
                approved & (KycSubmission.closed_at < approved_before),
                ~approved & (KycSubmission.closed_at < others_before),
            ),
        )
        .order_by(KycSubmission.closed_at)
        .limit(limit)
    )
    return (await session.scalars(statement)).all()
