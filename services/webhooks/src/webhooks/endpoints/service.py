"""The use cases of endpoints. All of them are the owner's: whoever has the secret can speak in our name."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from chassis.auth import Permission, Principal
from chassis.database import UnitOfWork
from chassis.database.idempotency import Answer, IdempotencyScope
from chassis.http.pagination import PageParams, as_page
from chassis.http.schemas import Data, Page
from kernel import NotFound, new_id

from webhooks.context import WebhooksContext
from webhooks.deliveries import repository as deliveries
from webhooks.endpoints import errors, repository
from webhooks.endpoints.destinations import Refused, Unresolvable
from webhooks.endpoints.models import WebhookEndpoint, previous_secret_place, secret_place
from webhooks.endpoints.schemas import (
    EndpointCreate,
    EndpointOut,
    EndpointPatch,
    EndpointWithSecret,
    shown,
    shown_with,
)
from webhooks.endpoints.signing import OVERLAP, new_secret

MAX_ENDPOINTS: Final = 10


async def create_endpoint(
    ctx: WebhooksContext, caller: Principal, scope: IdempotencyScope, request: EndpointCreate
) -> Answer:
    """Raises NotFound (business), Forbidden, RuleViolation (webhook_url_refused, webhook_endpoint_limit)."""
    await ctx.access.require(caller, request.business_id, Permission.MANAGE)
    await ctx.directory.business(request.business_id)
    await _check_destination(ctx, request.url)

    async def work(unit: UnitOfWork) -> Data[EndpointWithSecret]:
        if await repository.count_for_adding(unit.session, request.business_id) >= MAX_ENDPOINTS:
            raise errors.too_many(MAX_ENDPOINTS)
        now, secret, endpoint_id = unit.clock.now(), new_secret(), new_id()
        endpoint = WebhookEndpoint(
            id=endpoint_id,
            business_id=request.business_id,
            url=request.url,
            description=request.description,
            events=request.events,
            secret=ctx.cipher.encrypt(secret, context=secret_place(endpoint_id)),
            is_active=request.is_active,
            disabled_at=None if request.is_active else now,
            is_troubled=False,
            version=1,
            created_at=now,
            updated_at=now,
        )
        unit.session.add(endpoint)
        await unit.session.flush()
        return Data(data=shown_with(endpoint, secret))

    return await ctx.idempotency.run(scope, work)


async def list_endpoints(
    ctx: WebhooksContext, caller: Principal, business_id: UUID | None, paging: PageParams
) -> Page[EndpointOut]:
    businesses = await ctx.access.visible(caller, business_id, Permission.MANAGE)
    async with ctx.database.read() as session:
        found = await repository.page(session, businesses, paging)
    return as_page(found, lambda row: shown(row.WebhookEndpoint))


async def get_endpoint(ctx: WebhooksContext, caller: Principal, endpoint_id: UUID) -> EndpointOut:
    return shown(await owned_endpoint(ctx, caller, endpoint_id))


async def patch_endpoint(
    ctx: WebhooksContext, caller: Principal, endpoint_id: UUID, request: EndpointPatch
) -> EndpointOut:
    """Raises NotFound, Forbidden, RuleViolation (webhook_url_refused)."""
    await owned_endpoint(ctx, caller, endpoint_id)
    if request.url is not None:
        await _check_destination(ctx, request.url)
    named = {name: getattr(request, name) for name in request.model_fields_set}

    async def work(unit: UnitOfWork) -> EndpointOut:
        endpoint = await _locked(unit, endpoint_id)
        now = unit.clock.now()
        was_active = endpoint.is_active
        for name, value in named.items():
            setattr(endpoint, name, value)
        if endpoint.is_active and (not was_active or "url" in named):
            # What is told of the past does not count against it any more.
            endpoint.disabled_reason = endpoint.disabled_at = endpoint.failing_since = None
            endpoint.is_troubled = False
        if was_active and not endpoint.is_active:
            endpoint.disabled_at = now
            await deliveries.skip_waiting(unit.session, [endpoint_id], now)
        endpoint.updated_at = now
        endpoint.version += 1
        await unit.session.flush()
        return shown(endpoint)

    return await ctx.database.run(work)


async def delete_endpoint(ctx: WebhooksContext, caller: Principal, endpoint_id: UUID) -> None:
    """Nothing more is sent there; a try that is under way ends."""
    await owned_endpoint(ctx, caller, endpoint_id)

    async def work(unit: UnitOfWork) -> None:
        endpoint = await _locked(unit, endpoint_id)
        now = unit.clock.now()
        endpoint.deleted_at = endpoint.updated_at = now
        endpoint.is_active = False
        endpoint.version += 1
        await deliveries.skip_waiting(unit.session, [endpoint_id], now)

    await ctx.database.run(work)


async def rotate_secret(ctx: WebhooksContext, caller: Principal, scope: IdempotencyScope, endpoint_id: UUID) -> Answer:
    """A new secret; the one until now signs beside it for a day. One that was still signing beside that one ends."""
    await owned_endpoint(ctx, caller, endpoint_id)

    async def work(unit: UnitOfWork) -> Data[EndpointWithSecret]:
        endpoint = await _locked(unit, endpoint_id)
        now, secret = unit.clock.now(), new_secret()
        present = ctx.cipher.decrypt(endpoint.secret, context=secret_place(endpoint_id))
        endpoint.previous_secret = ctx.cipher.encrypt(present, context=previous_secret_place(endpoint_id))
        endpoint.previous_secret_until = now + OVERLAP
        endpoint.secret = ctx.cipher.encrypt(secret, context=secret_place(endpoint_id))
        endpoint.updated_at = now
        endpoint.version += 1
        await unit.session.flush()
        return Data(data=shown_with(endpoint, secret))

    return await ctx.idempotency.run(scope, work, status=200)


async def owned_endpoint(ctx: WebhooksContext, caller: Principal, endpoint_id: UUID) -> WebhookEndpoint:
    """The endpoint, if it is of a business of the caller's own.

    Raises NotFound, the same for an endpoint that is absent and for one of another's business; Forbidden.
    """

    async def find() -> WebhookEndpoint:
        async with ctx.database.read() as session:
            endpoint = await repository.find(session, endpoint_id)
        if endpoint is None:
            raise errors.endpoint_not_found()
        return endpoint

    endpoint = await ctx.access.find(caller, find)
    try:
        await ctx.access.require(caller, endpoint.business_id, Permission.MANAGE)
    except NotFound:
        raise errors.endpoint_not_found() from None
    return endpoint


async def _locked(unit: UnitOfWork, endpoint_id: UUID) -> WebhookEndpoint:
    endpoint = await repository.lock(unit.session, endpoint_id)
    if endpoint is None:
        raise errors.endpoint_not_found()
    return endpoint


async def _check_destination(ctx: WebhooksContext, text: str) -> None:
    try:
        url = ctx.destinations.checked(text)
        await ctx.resolver.addresses(str(url.raw_host), int(url.port or 0))
    except Refused as error:
        raise errors.url_refused(error.reason) from None
    except Unresolvable as error:
        raise errors.url_refused(str(error)) from None
