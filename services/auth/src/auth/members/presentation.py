"""A member as clients see one."""

from __future__ import annotations

from auth.context import AuthContext
from auth.members.models import Member
from auth.members.schemas import MemberResponse
from auth.members.status import MemberStatus
from auth.sealing import reveal


def status_of(member: Member) -> MemberStatus:
    return MemberStatus.INVITED if member.user_id is None else MemberStatus.ACTIVE


def present(ctx: AuthContext, member: Member) -> MemberResponse:
    fields = {name: reveal(ctx.cipher, member, name) for name in MemberResponse.model_fields if name != "status"}
    return MemberResponse.model_validate(fields | {"status": status_of(member)})
