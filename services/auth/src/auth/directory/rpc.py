"""The Directory over gRPC. Callers are other services, which have checked whose request it is they answer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import grpc
from chassis.auth import Membership
from chassis.tenancy import as_user, everyone
from contracts.auth.v1 import directory_pb2, directory_pb2_grpc
from kernel import NotFound

from auth.branches import repository as branches
from auth.branches.errors import branch_not_found
from auth.businesses import repository as businesses
from auth.businesses.errors import business_not_found
from auth.businesses.models import Business
from auth.context import AuthContext
from auth.edge import parse_id
from auth.members import repository as members
from auth.sealing import reveal
from auth.users import repository as users

Context = grpc.aio.ServicerContext[Any, Any]


class DirectoryServicer(directory_pb2_grpc.DirectoryServicer):
    def __init__(self, ctx: AuthContext) -> None:
        self._ctx = ctx

    async def GetBusiness(self, request: directory_pb2.GetBusinessRequest, context: Context) -> directory_pb2.Business:
        business_id = parse_id("business_id", request.business_id)
        async with self._ctx.database.read() as session:
            business = await businesses.find(session, business_id)
        if business is None:
            raise business_not_found()
        return self._business(business)

    async def GetBranch(self, request: directory_pb2.GetBranchRequest, context: Context) -> directory_pb2.Branch:
        business_id = parse_id("business_id", request.business_id)
        async with self._ctx.database.read() as session:
            if request.branch_id:
                branch = await branches.find(session, business_id, parse_id("branch_id", request.branch_id))
            else:
                branch = await branches.first(session, business_id)
        if branch is None:
            raise branch_not_found()
        return directory_pb2.Branch(
            id=str(branch.id),
            business_id=str(branch.business_id),
            name=branch.name,
            is_active=branch.is_active,
            address=branch.address or "",
            city=branch.city or "",
        )

    async def GetMembership(
        self, request: directory_pb2.GetMembershipRequest, context: Context
    ) -> directory_pb2.Membership:
        user_id = parse_id("user_id", request.user_id)
        business_id = parse_id("business_id", request.business_id)
        with everyone():
            async with self._ctx.database.read() as session:
                membership = await members.find(session, user_id, business_id)
        if membership is None:
            raise NotFound("Membership not found", code="membership_not_found")
        return _membership(user_id, membership)

    async def ListMemberships(
        self, request: directory_pb2.ListMembershipsRequest, context: Context
    ) -> directory_pb2.ListMembershipsResponse:
        user_id = parse_id("user_id", request.user_id)
        with everyone():
            async with self._ctx.database.read() as session:
                memberships = await members.of_user(session, user_id)
        return directory_pb2.ListMembershipsResponse(memberships=[_membership(user_id, item) for item in memberships])

    async def GetUser(self, request: directory_pb2.GetUserRequest, context: Context) -> directory_pb2.User:
        user_id = parse_id("user_id", request.user_id)
        with as_user(user_id):
            async with self._ctx.database.read() as session:
                user = await users.find(session, user_id)
        if user is None:
            raise NotFound("User not found", code="user_not_found")
        return directory_pb2.User(
            id=str(user.id),
            phone=reveal(self._ctx.cipher, user, "phone"),
            email=reveal(self._ctx.cipher, user, "email") or "",
            phone_verified=user.phone_verified_at is not None,
            email_verified=user.email_verified_at is not None,
            first_name=reveal(self._ctx.cipher, user, "first_name") or "",
            language=user.language,
        )

    def _business(self, business: Business) -> directory_pb2.Business:
        def plain(column: str) -> str:
            return reveal(self._ctx.cipher, business, column) or ""

        return directory_pb2.Business(
            id=str(business.id),
            name=business.name,
            legal_name=plain("legal_name"),
            tax_id=plain("tax_id"),
            country=business.country,
            currency=business.currency,
            time_zone=business.time_zone,
            phone=plain("phone"),
            email=plain("email"),
            is_active=business.is_active,
            owner_id=str(business.owner_id),
            address=plain("address"),
            city=plain("city"),
            state=plain("state"),
            postal_code=plain("postal_code"),
        )


def _membership(user_id: UUID, membership: Membership) -> directory_pb2.Membership:
    return directory_pb2.Membership(
        user_id=str(user_id),
        business_id=str(membership.business_id),
        role=membership.role.value,
        branch_ids=sorted(map(str, membership.branch_ids)),
    )
