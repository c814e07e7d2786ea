from collections.abc import Sequence
from uuid import UUID

import pytest
from chassis import tenancy
from chassis.auth import Access, BusinessRole, Membership, Permission, Role
from chassis.tenancy import Tenancy
from chassis.testing.tokens import make_principal
from kernel import Forbidden, NotFound, Unavailable, new_id


class Standings:
    """What auth knows now, whatever a token says; None: it cannot be asked."""

    def __init__(self, *memberships: Membership) -> None:
        self.known: Sequence[Membership] | None = memberships
        self.asked = 0

    async def membership(self, user_id: UUID, business_id: UUID) -> Membership | None:
        return next((item for item in await self.memberships(user_id) if item.business_id == business_id), None)

    async def memberships(self, user_id: UUID) -> Sequence[Membership]:
        self.asked += 1
        if self.known is None:
            raise Unavailable("Not now")
        return self.known


def owner(business_id: UUID) -> Membership:
    return Membership(business_id, BusinessRole.OWNER)


async def test_a_membership_beyond_the_token_widens_the_scope() -> None:
    old, joined = new_id(), new_id()
    caller, access = make_principal(owns=[old]), Access(Standings(owner(joined)))
    with tenancy.scope(caller.tenancy):
        await access.require(caller, joined, Permission.MANAGE)
        assert tenancy.current() == Tenancy(caller.user_id, frozenset({old, joined}))
        with pytest.raises(NotFound):
            await access.require(caller, new_id(), Permission.READ)
        assert len(tenancy.current().businesses) == 2


async def test_an_action_beyond_the_role_is_forbidden() -> None:
    business, branch = new_id(), new_id()
    caller, access = make_principal(works_at=[(business, [branch])]), Access(Standings())
    await access.require(caller, business, Permission.OPERATE, branch_id=branch)
    with pytest.raises(Forbidden):
        await access.require(caller, business, Permission.MANAGE)
    with pytest.raises(Forbidden):
        await access.require(caller, business, Permission.READ, branch_id=new_id())


async def test_lists_show_what_auth_says_and_else_what_the_token_says() -> None:
    old, joined = new_id(), new_id()
    caller, standings = make_principal(owns=[old]), Standings(owner(joined))
    access = Access(standings)
    with tenancy.scope(caller.tenancy):
        assert await access.visible(caller, None) == [joined]
        assert joined in tenancy.current().businesses
    standings.known = None
    with tenancy.scope(caller.tenancy):
        assert await access.visible(caller, None) == [old]
        assert tenancy.current() == caller.tenancy
    assert await access.visible(make_principal(role=Role.ADMIN), None) is None


async def test_a_list_for_owners_leaves_out_where_the_caller_is_employed() -> None:
    owned, works_at = new_id(), new_id()
    caller = make_principal(owns=[owned], works_at=[(works_at, [])])
    access = Access(Standings(owner(owned), Membership(works_at, BusinessRole.EMPLOYEE)))

    assert await access.visible(caller, None) == [owned, works_at]
    assert await access.visible(caller, None, Permission.MANAGE) == [owned]
    with pytest.raises(Forbidden):
        await access.visible(caller, works_at, Permission.MANAGE)


async def test_a_look_up_is_tried_again_only_when_the_scope_has_grown() -> None:
    joined = new_id()
    caller, standings = make_principal(), Standings(owner(joined))
    access, scopes = Access(standings), list[frozenset[UUID]]()

    async def work() -> str:
        scopes.append(tenancy.current().businesses)
        if joined not in tenancy.current().businesses:
            raise NotFound("No such thing")
        return "found"

    with tenancy.scope(caller.tenancy):
        assert await access.find(caller, work) == "found"
    assert scopes == [frozenset(), frozenset({joined})]

    standings.known, standings.asked = [], 0
    scopes.clear()
    with tenancy.scope(caller.tenancy), pytest.raises(NotFound):
        await access.find(caller, work)
    assert (len(scopes), standings.asked) == (1, 1)

    standings.known = None
    with tenancy.scope(caller.tenancy), pytest.raises(Unavailable):
        await access.find(caller, work)

    admin = make_principal(role=Role.ADMIN)
    with tenancy.scope(admin.tenancy), pytest.raises(NotFound):
        await access.find(admin, work)
    assert standings.asked == 2
