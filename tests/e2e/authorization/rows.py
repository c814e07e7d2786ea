"""The authorization matrix: one row for every documented operation, and one more for each other way to call it.

A row says what decides who may call the operation, and how a request is made that nothing but that decision stops: ids
come from the tenant whose things they are, bodies are valid. Whom the rule lets in must succeed with that same request,
so that what the others are refused is shown to have been refused for who they are.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from e2e.forms import Form
from e2e.merchant import Json
from e2e.people import Person

from . import bodies, tenant
from .rules import Rule
from .tenant import Maker, Tenant

Body = Callable[[Tenant, Person | None], Awaitable[Json | list[Json] | Form]]


@dataclass(frozen=True, slots=True)
class Row:
    """
    Args:
        note: tells rows of the same operation apart.
        body: None for the one that `operations.valid_bodies` has.
        query: by the parameter's name, the path parameter whose thing it takes.
        said: query parameters that name nothing, and are the same for everybody.
        spends: path parameters whose thing is used up: everyone who is let in gets one of their own.
        apart: it changes whom tokens speak of: everyone who is let in gets a tenant of their own.
        alone: it changes the caller's own account: everyone who is let in has one that nobody else needs.
        opened: what opens it instead of a token, as query parameters.
        signed: what opens it instead of a token, as headers of its body.
        stopped_by: codes with which whoever is let in is refused afterwards, for what they ask and not for who they
            are, where the request cannot be made to succeed here.
    """

    operation: str
    rule: Rule
    note: str = ""
    body: Body | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)
    spends: Mapping[str, Maker] = field(default_factory=dict)
    apart: bool = False
    alone: bool = False
    opened: Callable[[Tenant], Awaitable[dict[str, str]]] | None = None
    signed: Callable[[Tenant, bytes], dict[str, str]] | None = None
    stopped_by: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return f"{self.operation} ({self.note})" if self.note else self.operation


OF_BUSINESS = {"businessId": "business_id"}
AT_BRANCH = {"businessId": "business_id", "branchId": "branch_id"}


_AN_HOUR_AGO = (datetime.now(UTC) - timedelta(hours=1)).isoformat()


def row(operation: str, rule: Rule, **how: Any) -> Row:
    return Row(operation, rule, **how)


ROWS = (
    row("GET //health", Rule.PUBLIC),
    row("GET //.well-known/jwks.json", Rule.PUBLIC),
    # auth
    row("POST /auth/register", Rule.PUBLIC, body=bodies.registration),
    row("POST /auth/login", Rule.PUBLIC, body=bodies.log_in),
    row("POST /auth/refresh", Rule.PUBLIC, body=bodies.refresh),
    row("POST /auth/logout", Rule.SELF, alone=True),
    row("POST /auth/logout-all", Rule.SELF, alone=True),
    row("GET /auth/sessions", Rule.SELF),
    row("DELETE /auth/sessions/{session_id}", Rule.PERSON, spends={"session_id": tenant.session}),
    row("POST /auth/verification", Rule.SELF, alone=True),
    row("POST /auth/verification/confirm", Rule.SELF, alone=True, body=bodies.confirmation),
    row("POST /auth/password/forgot", Rule.PUBLIC, body=bodies.forgotten),
    row("POST /auth/password/reset", Rule.PUBLIC, body=bodies.reset),
    row("POST /auth/password/change", Rule.SELF, alone=True, body=bodies.new_password),
    row("GET /auth/memberships", Rule.SELF),
    row("POST /auth/memberships/{membership_id}/accept", Rule.PERSON, spends={"membership_id": tenant.invitation}),
    row("DELETE /auth/memberships/{membership_id}", Rule.PERSON, spends={"membership_id": tenant.invitation}),
    row("GET /auth/me", Rule.SELF),
    row("PATCH /auth/me", Rule.SELF, body=bodies.profile),
    row("POST /kyc/submissions", Rule.SELF, alone=True, body=bodies.identity),
    row("GET /kyc/submissions", Rule.SELF),
    row("GET /kyc/submissions/{submission_id}", Rule.PERSON_OR_ADMIN),
    row("GET /kyc/submissions/{submission_id}/documents/{name}", Rule.PERSON_OR_ADMIN),
    row(
        "POST /kyc/submissions/{submission_id}/approve",
        Rule.ADMIN,
        spends={"submission_id": tenant.submission_of_somebody},
    ),
    row(
        "POST /kyc/submissions/{submission_id}/reject",
        Rule.ADMIN,
        spends={"submission_id": tenant.submission_of_somebody},
    ),
    row("POST /kyc/submissions/{submission_id}/withdraw", Rule.PERSON, apart=True),
    row("GET /users", Rule.ADMIN),
    row("GET /users/{user_id}", Rule.ADMIN),
    row("PATCH /users/{user_id}", Rule.ADMIN, body=bodies.profile, spends={"user_id": tenant.account_of_somebody}),
    row("DELETE /users/{user_id}", Rule.ADMIN, spends={"user_id": tenant.account_of_somebody}),
    row("PUT /users/{user_id}/role", Rule.ADMIN, spends={"user_id": tenant.account_of_somebody}),
    row("GET /audit-entries", Rule.OWNER, note="of a business", query=OF_BUSINESS),
    row("GET /businesses", Rule.SELF),
    row("POST /businesses", Rule.MERCHANT),
    row("GET /businesses/{business_id}", Rule.MEMBER),
    row("PUT /businesses/{business_id}", Rule.OWNER),
    row("PATCH /businesses/{business_id}", Rule.OWNER),
    row("DELETE /businesses/{business_id}", Rule.OWNER, apart=True),
    row("GET /businesses/{business_id}/branches", Rule.MEMBER),
    row("POST /businesses/{business_id}/branches", Rule.OWNER),
    row("GET /businesses/{business_id}/branches/{branch_id}", Rule.BRANCH),
    row("PUT /businesses/{business_id}/branches/{branch_id}", Rule.OWNER),
    row("PATCH /businesses/{business_id}/branches/{branch_id}", Rule.OWNER),
    row("DELETE /businesses/{business_id}/branches/{branch_id}", Rule.OWNER, apart=True),
    row("GET /businesses/{business_id}/members", Rule.OWNER),
    row("POST /businesses/{business_id}/members", Rule.OWNER, body=bodies.invited),
    row("GET /businesses/{business_id}/members/{member_id}", Rule.OWNER),
    row("PATCH /businesses/{business_id}/members/{member_id}", Rule.OWNER),
    row("DELETE /businesses/{business_id}/members/{member_id}", Rule.OWNER, spends={"member_id": tenant.member}),
    # catalog
    row("GET /products", Rule.SELF),
    row("GET /products", Rule.MEMBER, note="of a business", query=OF_BUSINESS),
    row("POST /products", Rule.OWNER, body=bodies.product),
    row("GET /products/categories", Rule.MEMBER, query=OF_BUSINESS),
    row("POST /products/import", Rule.OWNER, body=bodies.catalogue, query=OF_BUSINESS),
    row("GET /products/export", Rule.MEMBER, query=OF_BUSINESS),
    row("GET /products/{product_id}", Rule.MEMBER),
    row(
        "PUT /products/{product_id}", Rule.OWNER, body=bodies.product_of_business, spends={"product_id": tenant.product}
    ),
    row("PATCH /products/{product_id}", Rule.OWNER, spends={"product_id": tenant.product}),
    row("DELETE /products/{product_id}", Rule.OWNER, spends={"product_id": tenant.product}),
    row("GET /products/{product_id}/stock", Rule.MEMBER),
    row("GET /products/{product_id}/stock-movements", Rule.MEMBER),
    row("POST /products/{product_id}/stock-movements", Rule.OWNER),
    row("POST /products/{product_id}/stock-movements", Rule.OWNER, note="to another branch", body=bodies.transfer),
    row("GET /stock-movements", Rule.SELF),
    row("GET /stock-movements", Rule.MEMBER, note="of a business", query=OF_BUSINESS),
    row("GET /catalog-settings/{business_id}", Rule.MEMBER),
    row("PUT /catalog-settings/{business_id}", Rule.OWNER),
    # sales
    row("GET /sales", Rule.SELF),
    row("GET /sales", Rule.MEMBER, note="of a business", query=OF_BUSINESS),
    row("GET /sales", Rule.BRANCH, note="of a branch", query=AT_BRANCH),
    row("POST /sales", Rule.BRANCH),
    row("POST /sales", Rule.BRANCH, note="in cash", body=bodies.cash_sale),
    row("POST /sales/sync", Rule.BRANCH),
    row("GET /sales/sync/devices", Rule.SELF),
    row("GET /sales/sync/devices", Rule.MEMBER, note="of a business", query=OF_BUSINESS),
    row("GET /sales/sync/devices", Rule.BRANCH, note="of a branch", query=AT_BRANCH),
    row("GET /sales/{sale_id}", Rule.BRANCH),
    row("POST /sales/{sale_id}/cancel", Rule.BRANCH, spends={"sale_id": tenant.pending_sale}),
    row("POST /sales/{sale_id}/refund", Rule.BRANCH, spends={"sale_id": tenant.cash_sale}),
    row("GET /sales/{sale_id}/refunds", Rule.BRANCH),
    row("GET /cash-registers", Rule.SELF),
    row("GET /cash-registers", Rule.MEMBER, note="of a business", query=OF_BUSINESS),
    row("GET /cash-registers", Rule.BRANCH, note="of a branch", query=AT_BRANCH),
    row("POST /cash-registers", Rule.OWNER),
    row("GET /cash-registers/{register_id}", Rule.BRANCH),
    row("PATCH /cash-registers/{register_id}", Rule.OWNER),
    row("DELETE /cash-registers/{register_id}", Rule.OWNER, spends={"register_id": tenant.cash_register}),
    row("POST /cash-registers/{register_id}/open", Rule.BRANCH, spends={"register_id": tenant.cash_register}),
    row("POST /cash-registers/{register_id}/close", Rule.BRANCH, spends={"register_id": tenant.open_cash_register}),
    row("POST /cash-registers/{register_id}/movements", Rule.BRANCH, spends={"register_id": tenant.open_cash_register}),
    row("GET /cash-registers/{register_id}/movements", Rule.BRANCH),
    row("GET /cash-registers/{register_id}/sessions", Rule.BRANCH),
    row("GET /cash-registers/{register_id}/sessions/{cash_session_id}", Rule.BRANCH),
    row("GET /cash-registers/{register_id}/sessions/{cash_session_id}/entries", Rule.BRANCH),
    row("GET /cash-registers/{register_id}/sessions/{cash_session_id}/report.pdf", Rule.BRANCH),
    row(
        "POST /cash-registers/{register_id}/sessions/{cash_session_id}/approve",
        Rule.OWNER,
        spends={"cash_session_id": tenant.counted_wrongly},
    ),
    # payments
    row("POST /payments/intent", Rule.MEMBER),
    row("GET /payments", Rule.SELF),
    row("GET /payments", Rule.MEMBER, note="of a business", query=OF_BUSINESS),
    row("GET /payments/{payment_id}", Rule.MEMBER),
    row("GET /payments/{payment_id}/timeline", Rule.MEMBER),
    row("GET /payments/{payment_id}/qr.svg", Rule.MEMBER),
    row("GET /payments/{payment_id}/qr.png", Rule.MEMBER),
    row("POST /payments/{payment_id}/cancel", Rule.MEMBER, spends={"payment_id": tenant.pending_payment}),
    row("POST /payments/{payment_id}/confirm", Rule.ADMIN, spends={"payment_id": tenant.pending_payment}),
    row("POST /payments/{payment_id}/refund", Rule.OWNER, spends={"payment_id": tenant.paid_payment}),
    row("GET /payments/{payment_id}/refunds", Rule.MEMBER),
    row("GET /payments/{payment_id}/refunds/{refund_id}", Rule.MEMBER),
    row("GET /payment-methods", Rule.SELF),
    row("GET /payment-methods", Rule.MEMBER, note="of a business", query=OF_BUSINESS),
    row("GET /payment-methods/banks", Rule.MEMBER, query=OF_BUSINESS),
    row("POST /payment-methods", Rule.OWNER),
    row("GET /payment-methods/{method_id}", Rule.MEMBER),
    row("PUT /payment-methods/{method_id}", Rule.OWNER, spends={"method_id": tenant.payment_method}),
    row("PATCH /payment-methods/{method_id}", Rule.OWNER, spends={"method_id": tenant.payment_method}),
    row("DELETE /payment-methods/{method_id}", Rule.OWNER, spends={"method_id": tenant.payment_method}),
    row("GET /payment-methods/{method_id}/qr.svg", Rule.MEMBER),
    row("GET /payment-methods/{method_id}/qr.png", Rule.MEMBER),
    row("GET /payment-accounts/{provider}", Rule.OWNER, query=OF_BUSINESS),
    row("PUT /payment-accounts/{provider}", Rule.OWNER, query=OF_BUSINESS, body=bodies.own_account, apart=True),
    row("DELETE /payment-accounts/{provider}", Rule.OWNER, query=OF_BUSINESS),
    row("GET /reconciliations", Rule.ADMIN),
    row("POST /reconciliations", Rule.ADMIN),
    row("GET /reconciliations/{reconciliation_id}", Rule.ADMIN),
    row("GET /pay/{method_key}", Rule.PUBLIC),
    row("POST /pay/{method_key}", Rule.PUBLIC, body=bodies.amount_entered),
    # webhooks
    row("POST /webhooks/{provider}", Rule.PUBLIC, note="signed", body=bodies.notification, signed=bodies.signature),
    row("GET /webhook-events", Rule.ADMIN),
    row("GET /webhook-events/{event_id}", Rule.ADMIN),
    row("POST /webhook-events/{event_id}/replay", Rule.ADMIN),
    row("GET /webhook-endpoints", Rule.SELF),
    row("GET /webhook-endpoints", Rule.OWNER, note="of a business", query=OF_BUSINESS),
    row("POST /webhook-endpoints", Rule.OWNER),
    row("GET /webhook-endpoints/{endpoint_id}", Rule.OWNER),
    row("PATCH /webhook-endpoints/{endpoint_id}", Rule.OWNER),
    row("DELETE /webhook-endpoints/{endpoint_id}", Rule.OWNER, spends={"endpoint_id": tenant.endpoint}),
    row("POST /webhook-endpoints/{endpoint_id}/rotate-secret", Rule.OWNER),
    row("POST /webhook-endpoints/{endpoint_id}/test", Rule.OWNER),
    row("POST /webhook-endpoints/{endpoint_id}/recover", Rule.OWNER, said={"since": _AN_HOUR_AGO}),
    row("GET /webhook-endpoints/{endpoint_id}/deliveries", Rule.OWNER),
    row("GET /webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}", Rule.OWNER),
    row("POST /webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}/retry", Rule.OWNER),
    # billing
    row("GET /invoices", Rule.SELF),
    row("GET /invoices", Rule.MEMBER, note="of a business", query=OF_BUSINESS),
    row("GET /invoices/{invoice_id}", Rule.BRANCH),
    row("GET /invoices/{invoice_id}/pdf", Rule.BRANCH),
    row("GET /invoices/{invoice_id}/pdf", Rule.PUBLIC, note="with the key of its link", opened=bodies.document_key),
    row("GET /invoices/{invoice_id}/xml", Rule.BRANCH, stopped_by=frozenset({"not_a_fiscal_document"})),
    row("POST /invoices", Rule.BRANCH, body=bodies.nominative, stopped_by=frozenset({"fiscal_profile_missing"})),
    row(
        "POST /invoices/{invoice_id}/cancel",
        Rule.OWNER,
        body=bodies.cancellation,
        stopped_by=frozenset({"not_a_fiscal_document"}),
    ),
    row("GET /fiscal-profiles/{business_id}", Rule.OWNER, stopped_by=frozenset({"fiscal_profile_not_found"})),
    row(
        "PUT /fiscal-profiles/{business_id}",
        Rule.OWNER,
        body=bodies.fiscal_profile,
        stopped_by=frozenset({"fiscal_country_not_supported", "fiscal_profile_invalid"}),
    ),
    row("POST /invoices/{invoice_id}/retry", Rule.BRANCH, spends={"invoice_id": tenant.failed_invoice}),
    row("GET /receipts/{sale_id}", Rule.BRANCH),
    row("GET /receipts/{sale_id}", Rule.PUBLIC, note="with the key of its link", opened=bodies.receipt_key),
    # notifications, analytics
    row("GET /notifications", Rule.SELF),
    row("GET /notifications", Rule.OWNER, note="of a business", query=OF_BUSINESS),
    row("GET /notifications/{notification_id}", Rule.OWNER),
    row(
        "POST /notifications/{notification_id}/redrive",
        Rule.OWNER,
        spends={"notification_id": tenant.failed_notification},
    ),
    row(
        "POST /notifications/callbacks/twilio",
        Rule.PUBLIC,
        note="signed",
        body=bodies.twilio_report,
        signed=bodies.twilio_signature,
    ),
    row(
        "POST /notifications/callbacks/sendgrid",
        Rule.PUBLIC,
        note="signed",
        body=bodies.sendgrid_report,
        signed=bodies.sendgrid_signature,
    ),
    row("GET /notification-preferences", Rule.MEMBER, query=OF_BUSINESS),
    row("PUT /notification-preferences", Rule.OWNER),
    row("GET /notification-preferences/me", Rule.SELF),
    row("PUT /notification-preferences/me", Rule.SELF),
    row("GET /push-devices", Rule.SELF),
    row("POST /push-devices", Rule.SELF),
    row("DELETE /push-devices/{device_id}", Rule.PERSON, spends={"device_id": tenant.push_device}),
    row("GET /unsubscribe/{unsubscribe_token}", Rule.PUBLIC),
    row("POST /unsubscribe/{unsubscribe_token}", Rule.PUBLIC),
    row("GET /analytics/summary", Rule.MEMBER, query=OF_BUSINESS),
    row("GET /analytics/summary", Rule.BRANCH, note="of a branch", query=AT_BRANCH),
    row("GET /analytics/sales", Rule.MEMBER, query=OF_BUSINESS),
    row("GET /analytics/sales", Rule.BRANCH, note="of a branch", query=AT_BRANCH),
    row("GET /analytics/payments", Rule.MEMBER, query=OF_BUSINESS),
    row("GET /analytics/payments", Rule.BRANCH, note="of a branch", query=AT_BRANCH),
    row("GET /analytics/top-products", Rule.MEMBER, query=OF_BUSINESS),
    row("GET /analytics/top-products", Rule.BRANCH, note="of a branch", query=AT_BRANCH),
    row("GET /analytics/cash", Rule.MEMBER, query=OF_BUSINESS),
    row("GET /analytics/cash", Rule.BRANCH, note="of a branch", query=AT_BRANCH),
    row("GET /analytics/hours", Rule.MEMBER, query=OF_BUSINESS),
    row("GET /analytics/hours", Rule.BRANCH, note="of a branch", query=AT_BRANCH),
    row("GET /analytics/stock", Rule.MEMBER, query=OF_BUSINESS),
    row("GET /analytics/stock", Rule.BRANCH, note="of a branch", query=AT_BRANCH),
)
