"""The Directory over gRPC. Callers are other services, which have checked whose request it is they answer."""

from __future__ import annotations

from typing import Any

import grpc
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
        async with self._ctx.database.read() as session:
            membership = await members.find(session, user_id, business_id)
        if membership is None:
            raise NotFound("Membership not found", code="membership_not_found")
        return directory_pb2.Membership(
            user_id=str(user_id),
            business_id=str(business_id),
            role=membership.role.value,
            branch_ids=sorted(map(str, membership.branch_ids)),
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
