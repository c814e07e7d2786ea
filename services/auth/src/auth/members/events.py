"""What others are told about members. Of an invitation they are told nothing: it gives nobody any right."""

from __future__ import annotations

from typing import TypeVar

from contracts.events.auth import MemberAdded, MemberRemoved, MemberUpdated

from auth.members.models import Member

ChangeT = TypeVar("ChangeT", MemberAdded, MemberUpdated, MemberRemoved)


def of(event: type[ChangeT], member: Member) -> list[ChangeT]:
    """The event, or none for an invitation."""
    if member.user_id is None:
        return []
    return [
        event(
            aggregate_id=member.id,
            aggregate_version=member.version,
            business_id=member.business_id,
            user_id=member.user_id,
            role=member.role,
            branch_ids=tuple(member.branch_ids),
        )
    ]
