"""Notifications for businesses' own accounts, verified here: their secrets are nobody else's business."""

from __future__ import annotations

from typing import Any, Final

import grpc
from chassis.telemetry.logs import get_logger
from chassis.tenancy import everyone
from contracts.payments.v1 import payments_pb2, payments_pb2_grpc
from psp.accounts import SHAPES
from psp.provider import (
    InvalidSignature,
    MalformedWebhook,
    ProviderNotConfigured,
    WebhookEvent,
    WebhookReceiver,
    WebhookRequest,
)
from starlette.datastructures import Headers

from payments.accounts import repository
from payments.context import PaymentsContext

log = get_logger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]
_Verdict = payments_pb2.VerifyWebhookResponse

_MAX_KEY: Final = 64


class AccountsServicer(payments_pb2_grpc.PaymentAccountsServicer):
    def __init__(self, ctx: PaymentsContext) -> None:
        self._ctx = ctx

    async def VerifyWebhook(
        self, request: payments_pb2.VerifyWebhookRequest, context: Context
    ) -> payments_pb2.VerifyWebhookResponse:
        if request.provider not in SHAPES or len(request.account_key) > _MAX_KEY or "\x00" in request.account_key:
            return _Verdict(outcome=_Verdict.OUTCOME_UNKNOWN_ACCOUNT)
        # Its address does not say whose it is.
        with everyone():
            account = await repository.find_by_key(self._ctx.database, request.provider, request.account_key)
        if account is None:
            return _Verdict(outcome=_Verdict.OUTCOME_UNKNOWN_ACCOUNT)
        sent = WebhookRequest(request.body, _headers(request), [(field.name, field.value) for field in request.query])
        try:
            receivers = self._ctx.accounts.receivers(account)
            event = _verified(receivers, sent)
        except ProviderNotConfigured:
            return _Verdict(outcome=_Verdict.OUTCOME_UNKNOWN_ACCOUNT)
        except InvalidSignature as error:
            return _Verdict(outcome=_Verdict.OUTCOME_FORGED, reason=error.code)
        except MalformedWebhook as error:
            return _Verdict(outcome=_Verdict.OUTCOME_MALFORMED, reason=error.code)
        return _Verdict(
            outcome=_Verdict.OUTCOME_VERIFIED,
            account_id=str(account.id),
            event_id=event.event_id,
            event_type=event.event_type,
            provider_ref=event.provider_ref,
            our_reference=event.our_reference,
            occurred_at_ms=int(event.occurred_at.timestamp() * 1000),
        )


def _headers(request: payments_pb2.VerifyWebhookRequest) -> Headers:
    """With those that are repeated: two readers could take different ones."""
    given = ((header.name.lower(), header.value) for header in request.headers)
    return Headers(raw=[(name.encode("latin-1", "replace"), text.encode("latin-1", "replace")) for name, text in given])


def _verified(receivers: list[WebhookReceiver], request: WebhookRequest) -> WebhookEvent:
    """By the first that proves it. Raises what the newest says where none does."""
    newest: InvalidSignature | ProviderNotConfigured | None = None
    for receiver in receivers:
        try:
            receiver.verify_webhook_signature(request)
        except (InvalidSignature, ProviderNotConfigured) as error:
            newest = newest or error
        else:
            return receiver.parse_webhook(request)
    assert newest is not None
    raise newest
