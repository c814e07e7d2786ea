"""What each tag is about: one tag per resource, told together with the service that owns it."""

from __future__ import annotations

from typing import Any, Final

_ABOUT: Final[dict[str, str]] = {
    "audit": "Who changed what, when and from where; for administrators and owners",
    "branches": "The branches of a business",
    "businesses": "Businesses, their tax identity and time zone",
    "cash": "What drawers held, and what they should have held",
    "cash-registers": "Drawers at a branch, their sessions and their movements",
    "catalog-settings": "How a business wants its stock kept",
    "fiscal-profiles": "Issuer data, certificates and numbering",
    "health": "The state of the suite",
    "hours": "When a shop is busy",
    "invoices": "Fiscal documents of sales, and what the tax authority said of them",
    "keys": "The public keys that verify access tokens",
    "kyc": "Identity and tax documents, and their review",
    "members": "Who works in a business, and at which branches",
    "memberships": "The businesses a user works in, and invitations to them",
    "notification-callbacks": "Where providers of messages report what became of them, signed",
    "notification-preferences": "Whether, how and in which language a user is written to",
    "notifications": "What was sent to whom, and what became of it",
    "passwords": "Passwords forgotten, reset and changed",
    "payment-accounts": "A business's own account at its payment provider",
    "payment-methods": "Ways to be paid that a business offers",
    "payments": "Payments through the country's provider, with their timeline",
    "payments-report": "Payments by method and provider, and how many succeed",
    "products": "The catalogue of a business",
    "push-devices": "Where a user is reached by push",
    "receipts": "Documents for the buyer",
    "reconciliations": "What a provider lists against what we hold, for administrators",
    "refunds": "Money given back",
    "sales": "Sales at the counter, from the first item to the last refund",
    "sales-report": "Sales over time",
    "sessions": "Log-in, tokens, and the devices that are logged in",
    "stock": "Stock per branch and its movements",
    "stock-report": "What is on the shelves, and what it is worth",
    "summary": "The figures of a period at a glance",
    "top-products": "What sells best",
    "unsubscribe": "The link by which a reader switches one kind of message off",
    "users": "Users, their profile and their role",
    "verification": "One-time codes that prove a phone or an e-mail address",
    "webhook-endpoints": "A merchant's own endpoints and what was delivered to them",
    "webhook-events": "What providers have sent, for administrators",
    "webhooks": "Where providers send what happened",
}


def tag(name: str, service: str) -> dict[str, Any]:
    """The tag object; of a tag that nobody has described yet, at least whose it is."""
    about = _ABOUT.get(name)
    if service == "gateway":
        return {"name": name, "description": about or name}
    return {"name": name, "description": f"{about} · {service}" if about else service, "x-service": service}
