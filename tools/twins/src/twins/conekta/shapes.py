"""Conekta's resources as JSON (API 2.3.0): the fields of its own fixtures, filled by us."""

from __future__ import annotations

import secrets
import string
import uuid

from twins.provider.book import Json

_BASE58 = "".join(sorted(set(string.ascii_letters + string.digits) - set("0OIl")))


def short_id(prefix: str) -> str:
    return f"{prefix}_" + "".join(_BASE58[byte % 58] for byte in secrets.token_bytes(17))


def hex_id() -> str:
    return secrets.token_hex(12)


def listing(items: list[Json], *, has_more: bool = False, next_page_url: str | None = None) -> Json:
    return {
        "object": "list",
        "has_more": has_more,
        "next_page_url": next_page_url,
        "previous_page_url": None,
        "data": items,
    }


def order(body: Json, amount: int, now: int) -> Json:
    """A new order, without charges or checkout."""
    id = short_id("ord")
    customer = body["customer_info"]
    return {
        "id": id,
        "object": "order",
        "livemode": False,
        "amount": amount,
        "amount_refunded": 0,
        "currency": body["currency"],
        "payment_status": None,
        "is_refundable": False,
        "processing_mode": None,
        "created_at": now,
        "updated_at": now,
        "metadata": body.get("metadata") or {},
        "customer_info": {
            "object": "customer_info",
            "customer_id": customer.get("customer_id"),
            "name": customer.get("name"),
            "email": customer.get("email"),
            "phone": customer.get("phone"),
            "corporate": False,
            "customer_custom_reference": None,
        },
        "line_items": listing(
            [
                {
                    "id": short_id("line_item"),
                    "object": "line_item",
                    "parent_id": id,
                    "name": item["name"],
                    "unit_price": item["unit_price"],
                    "quantity": item["quantity"],
                    "description": item.get("description"),
                    "metadata": item.get("metadata") or {},
                    "antifraud_info": {},
                }
                for item in body["line_items"]
            ]
        ),
        "charges": None,
        "checkout": None,
        "channel": {
            "segment": "API",
            "checkout_request_id": None,
            "checkout_request_type": None,
            "id": short_id("channel"),
        },
        "discount_lines": None,
        "tax_lines": None,
        "shipping_lines": None,
        "shipping_contact": None,
        "fiscal_entity": None,
        "next_action": None,
    }


def checkout(request: Json, order_id: str, base_url: str, now: int) -> Json:
    id = str(uuid.uuid4())
    slug = id.replace("-", "")
    return {
        "id": id,
        "object": "checkout",
        "type": request["type"],
        "status": "Issued",
        "name": request.get("name") or order_id.replace("_", "-"),
        "slug": slug,
        "url": f"{base_url}/conekta/checkout/{slug}",
        "livemode": False,
        "allowed_payment_methods": request.get("allowed_payment_methods") or ["cash", "card", "bank_transfer"],
        "starts_at": now,
        "expires_at": request["expires_at"],
        "can_not_expire": False,
        "success_url": request.get("success_url"),
        "failure_url": request.get("failure_url"),
        "recurrent": False,
        "emails_sent": 0,
        "sms_sent": 0,
        "paid_payments_count": 0,
        "is_redirect_on_failure": False,
        "max_failed_retries": 3,
        "monthly_installments_enabled": False,
        "monthly_installments_options": [],
        "exclude_card_networks": [],
        "force_save_card": False,
        "needs_shipping_contact": False,
        "on_demand_enabled": None,
        "metadata": {},
    }


def charge(order: Json, payment_method: Json, status: str, now: int, reference_id: str | None = None) -> Json:
    return {
        "id": hex_id(),
        "object": "charge",
        "livemode": False,
        "created_at": now,
        "currency": order["currency"],
        "status": status,
        "amount": order["amount"],
        "paid_at": now if status == "paid" else None,
        "order_id": order["id"],
        "reference_id": reference_id,
        "customer_id": "",
        "description": "Payment from order",
        "device_fingerprint": None,
        "failure_code": None,
        "failure_message": None,
        "payment_method": payment_method,
        "refunds": None,
    }


def spei(expires_at: int) -> Json:
    clabe = _clabe()
    return {
        "object": "bank_transfer_payment",
        "type": "spei",
        "clabe": clabe,
        "bank": "STP",
        "description": None,
        "receiving_account_number": clabe,
        "receiving_account_bank": "STP",
        "receiving_account_holder_name": None,
        "receiving_account_tax_id": None,
        "issuing_account_bank": None,
        "issuing_account_number": None,
        "issuing_account_holder_name": None,
        "issuing_account_tax_id": None,
        "reference_number": None,
        "tracking_code": None,
        "executed_at": None,
        "payment_attempts": [],
        "expires_at": expires_at,
        "customer_ip_address": None,
    }


def card() -> Json:
    return {
        "object": "card_payment",
        "type": "credit",
        "account_type": "VISA_CREDIT",
        "auth_code": f"{secrets.randbelow(1_000_000):06d}",
        "brand": "visa",
        "contract_id": None,
        "country": "MX",
        "exp_month": "12",
        "exp_year": "30",
        "fraud_indicators": [],
        "issuer": "BANCO DE PRUEBA",
        "last4": "4242",
        "name": "Comprador de prueba",
        "customer_ip_address": None,
    }


def refund(amount: int, now: int) -> Json:
    return {
        "id": hex_id(),
        "object": "refund",
        "amount": -amount,
        "auth_code": f"{secrets.randbelow(1_000_000):06d}",
        "created_at": now,
    }


def event(type: str, data: Json, now: int) -> Json:
    return {
        "id": hex_id(),
        "object": "event",
        "type": type,
        "livemode": False,
        "created_at": now,
        "webhook_status": "pending",
        "webhook_logs": [],
        "data": data,
    }


def webhook(url: str, events: list[str]) -> Json:
    return {
        "id": hex_id(),
        "object": "webhook",
        "url": url,
        "status": "listening",
        "active": True,
        "livemode": False,
        "description": None,
        "subscribed_events": events,
    }


def _clabe() -> str:
    digits = f"646180{secrets.randbelow(10**11):011d}"
    weighted = sum(int(digit) * weight % 10 for digit, weight in zip(digits, (3, 7, 1) * 6, strict=False))
    return f"{digits}{-weighted % 10}"
