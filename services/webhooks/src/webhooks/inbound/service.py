"""Receive, look at, and publish again the notifications of payment providers."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import orjson
from chassis.auth import Principal
from chassis.bus.outbox import outbox_parameters
from chassis.database import UnitOfWork
from chassis.http.pagination import PageParams
from chassis.http.schemas import Data, Page
from chassis.telemetry.logs import get_logger
from chassis.tenancy import everyone
from kernel import new_id
from prometheus_client import Counter
from psp.provider import InvalidSignature, MalformedWebhook, ProviderNotConfigured, WebhookReceiver, WebhookRequest
from psp.provider import WebhookEvent as ProviderEvent

from webhooks.context import WebhooksContext
from webhooks.inbound import errors, events, repository
from webhooks.inbound.accounts import Outcome, Verified
from webhooks.inbound.models import place
from webhooks.inbound.schemas import (
    Acknowledged,
    WebhookEventDetail,
    WebhookEventSummary,
    detail,
    summary,
)

log = get_logger(__name__)

_ACCOUNT_KEY: Final = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)

received_total = Counter(
    "cobro_webhooks_received_total", "Inbound webhooks by what became of them", ["provider", "outcome"]
)


async def receive(ctx: WebhooksContext, provider: str, request: WebhookRequest) -> Acknowledged:
    """Verify over the bytes as received, store once with its event, then say so. The content is a hint for payments.

    Raises NotFound (no such provider, or none without a key), Unauthenticated, InvalidInput.
    """
    receiver = ctx.receivers.get(provider)
    if receiver is None:
        raise errors.unknown_provider()
    event = _verified(receiver, provider, request)
    return await _store(ctx, receiver, request, event)


async def receive_for_account(
    ctx: WebhooksContext, provider: str, account_key: str, request: WebhookRequest
) -> Acknowledged:
    """The same for a business's own account at the provider, whose secret payments holds and verifies with.

    Raises NotFound, Unauthenticated, InvalidInput, Unavailable.
    """
    receiver = ctx.receivers.get(provider)
    if receiver is None or not _ACCOUNT_KEY.fullmatch(account_key):
        raise errors.unknown_provider()
    verdict = await ctx.accounts.verify(receiver, account_key, request)
    if isinstance(verdict, Verified):
        return await _store(ctx, receiver, request, verdict.event, verdict.account_id)
    received_total.labels(provider, verdict.outcome.value).inc()
    if verdict.outcome is Outcome.NOT_CONFIGURED:
        raise errors.unknown_provider()
    log.warning(
        "webhook.refused",
        provider=provider,
        outcome=verdict.outcome.value,
        reason=verdict.reason,
        body_sha256=sha256(request.body).hexdigest(),
    )
    raise errors.bad_signature() if verdict.outcome is Outcome.FORGED else errors.malformed()


async def _store(
    ctx: WebhooksContext,
    receiver: WebhookReceiver,
    request: WebhookRequest,
    event: ProviderEvent,
    account_id: UUID | None = None,
) -> Acknowledged:
    provider = event.provider
    event_id = new_id()
    values = {
        "id": event_id,
        "provider": provider,
        "provider_event_id": event.event_id,
        "event_type": event.event_type,
        "provider_ref": event.provider_ref,
        "our_reference": event.our_reference,
        "payload": ctx.cipher.encrypt(request.body, context=place(event_id)),
        "signature": orjson.dumps(_evidence(receiver, request)).decode(),
        "occurred_at": event.occurred_at,
        "account_id": account_id,
    }
    published = outbox_parameters(events.received(event_id, event, account_id=account_id), ctx.clock.now())
    # Its signature is verified, and whose payment it speaks of only payments can tell.
    with everyone():
        stored = await repository.store(ctx.database, values, published)
    received_total.labels(provider, "stored" if stored else "duplicate").inc()
    if stored:
        ctx.database.wake_relay()
    return Acknowledged(duplicate=not stored)


def _evidence(receiver: WebhookReceiver, request: WebhookRequest) -> dict[str, str]:
    """What proved it, to be kept beside it; nothing else a caller sent with it is stored."""
    sent = [*request.headers.items(), *request.query]
    return {name: value for name, value in sent if name.lower() in receiver.evidence}


def _verified(receiver: WebhookReceiver, provider: str, request: WebhookRequest) -> ProviderEvent:
    try:
        receiver.verify_webhook_signature(request)
        event = receiver.parse_webhook(request)
        # PostgreSQL cannot hold it, and no provider sends it.
        if "\x00" in f"{event.event_id}{event.event_type}{event.provider_ref}{event.our_reference}":
            raise MalformedWebhook(provider, "zero_byte")
        return event
    except ProviderNotConfigured:
        received_total.labels(provider, "not_configured").inc()
        raise errors.unknown_provider() from None
    except InvalidSignature as error:
        received_total.labels(provider, "forged").inc()
        log.warning(
            "webhook.forged", provider=provider, reason=error.code, body_sha256=sha256(request.body).hexdigest()
        )
        raise errors.bad_signature() from None
    except MalformedWebhook:
        received_total.labels(provider, "malformed").inc()
        log.warning("webhook.malformed", provider=provider, body_sha256=sha256(request.body).hexdigest())
        raise errors.malformed() from None


async def listing(
    ctx: WebhooksContext,
    caller: Principal,
    params: PageParams,
    *,
    provider: str | None,
    event_type: str | None,
    transaction_id: UUID | None,
) -> Page[WebhookEventSummary]:
    _require_admin(caller)
    reference = str(transaction_id) if transaction_id else None
    found = await repository.page(ctx.database, params, provider=provider, event_type=event_type, reference=reference)
    return Page(data=[summary(row.WebhookEvent, row.processed_at) for row in found.rows], meta=found.meta)


async def show(ctx: WebhooksContext, caller: Principal, event_id: UUID) -> WebhookEventDetail:
    _require_admin(caller)
    row = await repository.find(ctx.database, event_id)
    if row is None:
        raise errors.not_found()
    event = row.WebhookEvent
    payload = ctx.cipher.decrypt_bytes(event.payload, context=place(event.id)).decode("utf-8", "replace")
    signature: dict[str, Any] = orjson.loads(event.signature)
    return detail(event, row.processed_at, payload=payload, signature=signature)


async def replay(
    ctx: WebhooksContext, caller: Principal, unit: UnitOfWork, event_id: UUID
) -> Data[WebhookEventSummary]:
    """Publish a stored notification again: payments reads the payment anew, and does nothing unless it has moved."""
    _require_admin(caller)
    event = await repository.lock(unit.session, event_id)
    if event is None:
        raise errors.not_found()
    event.version += 1
    hint = ProviderEvent(
        provider=event.provider,
        event_id=event.provider_event_id,
        event_type=event.event_type,
        provider_ref=event.provider_ref,
        our_reference=event.our_reference,
        occurred_at=event.occurred_at,
    )
    [event.published_event_id] = unit.publish(
        events.received(event.id, hint, account_id=event.account_id, version=event.version)
    )
    return Data(data=summary(event, None))


def _require_admin(caller: Principal) -> None:
    if not caller.is_admin:
        raise errors.admins_only()
