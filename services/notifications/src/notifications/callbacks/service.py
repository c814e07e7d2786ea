"""Use cases of providers' reports: verified over the bytes as received, recorded once, in whatever order they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from chassis.database import UnitOfWork
from chassis.telemetry.logs import get_logger
from chassis.tenancy import everyone
from kernel import Unauthenticated, new_id
from prometheus_client import Counter

from notifications.callbacks import sendgrid, twilio
from notifications.callbacks.report import Report
from notifications.context import NotificationsContext
from notifications.delivery.progress import DeliveryStatus, further
from notifications.messages import events, repository
from notifications.messages.classes import class_of
from notifications.messages.models import Notification
from notifications.messages.status import NotificationStatus, StepKind
from notifications.messages.templates import Template
from notifications.unsubscribe.service import suppress

log = get_logger(__name__)

_REPORTS = Counter(
    "cobro_notification_reports_total", "Providers' reports by what became of them", ["provider", "outcome"]
)
# Locked and written together.
_BATCH = 100


async def from_twilio(ctx: NotificationsContext, query: str, headers: Mapping[str, str], body: bytes) -> None:
    """query: as it came, without its question mark. Raises Unauthenticated, InvalidInput."""
    fields = twilio.fields_of(body)
    url = f"{ctx.callbacks.twilio_url}?{query}" if query else ctx.callbacks.twilio_url
    if not twilio.is_signed(url, fields, headers.get(twilio.HEADER, ""), ctx.callbacks.twilio_auth_token):
        raise _unsigned("twilio")
    try:
        notification_id = UUID(query.removeprefix("notification="))
    except ValueError:
        # Of a message that somebody else sent from the same account.
        _REPORTS.labels("twilio", "unknown").inc()
        return
    found = twilio.report(notification_id, fields)
    await _record(ctx, "twilio", [found] if found else [])


async def from_sendgrid(ctx: NotificationsContext, headers: Mapping[str, str], body: bytes) -> None:
    """Raises Unauthenticated, InvalidInput."""
    key = ctx.callbacks.sendgrid_key
    if key is None or not sendgrid.is_signed(
        key,
        body,
        signature=headers.get(sendgrid.SIGNATURE_HEADER, ""),
        timestamp=headers.get(sendgrid.TIMESTAMP_HEADER, ""),
    ):
        raise _unsigned("sendgrid")
    await _record(ctx, "sendgrid", sendgrid.reports(body))


async def _record(ctx: NotificationsContext, provider: str, reports: Sequence[Report]) -> None:
    # By message, so that two requests lock the same rows in the same order.
    ordered = sorted(reports, key=lambda report: report.notification_id)
    for start in range(0, len(ordered), _BATCH):
        batch = ordered[start : start + _BATCH]

        async def work(unit: UnitOfWork, batch: Sequence[Report] = batch) -> list[str]:
            return [await _apply(ctx, unit, provider, report) for report in batch]

        # Signed by the provider, and whose message it is only the row can tell.
        with everyone():
            outcomes = await ctx.database.run(work)
        for outcome in outcomes:
            _REPORTS.labels(provider, outcome).inc()


async def _apply(ctx: NotificationsContext, unit: UnitOfWork, provider: str, report: Report) -> str:
    notification = await repository.lock(unit.session, report.notification_id)
    if notification is None:
        return "unknown"
    now = ctx.clock.now()
    step = {
        "id": new_id(),
        "notification_id": notification.id,
        "business_id": notification.business_id,
        "kind": StepKind.REPORT.value,
        "provider": provider,
        "provider_event_id": report.event_id,
        "outcome": report.status.value,
        "answer": report.answer,
        "at": report.at or now,
    }
    if not await repository.add_step(unit.session, step):
        return "duplicate"
    known = DeliveryStatus(notification.delivery_status) if notification.delivery_status else None
    notification.delivery_status = further(known, report.status).value
    notification.delivery_reported_at = now
    notification.version += 1
    if notification.status == NotificationStatus.PENDING.value and _has_left(notification, provider, report):
        # A try that went unanswered did send it after all: no second one.
        notification.status = NotificationStatus.SENT.value
        notification.sent_at = now
        notification.provider = provider
        notification.provider_message_id = report.provider_message_id or None
        notification.provider_answer = report.answer
        notification.failure_reason = None
        notification.worker = None
        await unit.session.flush()
        unit.publish(events.sent(notification))
    if report.unwanted and notification.recipient_index is not None:
        kind = class_of(Template(notification.template))
        if not kind.mandatory:
            await suppress(unit, notification, kind, ctx)
    return "recorded"


def _has_left(notification: Notification, provider: str, report: Report) -> bool:
    asked = notification.provider in (None, provider)
    return asked and notification.unanswered > 0 and report.status is not DeliveryStatus.UNDELIVERED


def _unsigned(provider: str) -> Unauthenticated:
    _REPORTS.labels(provider, "unsigned").inc()
    log.warning("callback.unsigned", provider=provider)
    return Unauthenticated("The signature does not verify", code="signature_invalid")
