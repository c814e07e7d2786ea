"""A sale as its callers see it, the buyer's data decrypted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from chassis.crypto import FieldCipher
from chassis.database.idempotency import Answer
from chassis.http.schemas import Data

from sales.sales.models import Sale, SaleItem
from sales.sales.peers import Payer
from sales.sales.schemas import CustomerOut, PartOut, PaymentOut, SaleItemOut, SaleOut, TransferOut
from sales.sales.status import PaymentMethod, SaleStatus


def seal_customer(cipher: FieldCipher, sale_id: UUID, fields: dict[str, Any] | None) -> str | None:
    return cipher.encrypt(orjson.dumps(fields), context=_place(sale_id)) if fields else None


def open_customer(cipher: FieldCipher, sale: Sale) -> CustomerOut | None:
    if sale.customer is None:
        return None
    return CustomerOut.model_validate(orjson.loads(cipher.decrypt_bytes(sale.customer, context=_place(sale.id))))


def seal_device(cipher: FieldCipher, sale_id: UUID, fields: dict[str, Any] | None) -> str | None:
    return cipher.encrypt(orjson.dumps(fields), context=_device_place(sale_id)) if fields else None


def open_payer(cipher: FieldCipher, sale: Sale) -> Payer:
    """What payments is told of the buyer."""
    known = open_customer(cipher, sale) or CustomerOut()
    device: dict[str, str] = {}
    if sale.device is not None:
        device = orjson.loads(cipher.decrypt_bytes(sale.device, context=_device_place(sale.id)))
    return Payer(
        name=known.name or "",
        phone=known.phone or "",
        email=known.email or "",
        document_type=known.document.type if known.document else "",
        document_number=known.document.number if known.document else "",
        person_type=known.person_type or "",
        ip_address=device.get("ipAddress", ""),
        user_agent=device.get("userAgent", ""),
        session_id=device.get("sessionId", ""),
        cookie=device.get("cookie", ""),
    )


def present(sale: Sale, cipher: FieldCipher) -> SaleOut:
    return SaleOut(
        id=sale.id,
        business_id=sale.business_id,
        branch_id=sale.branch_id,
        status=SaleStatus(sale.status),
        currency=sale.currency,
        items=[_item(sale, item) for item in sale.items],
        subtotal=_text(sale, sale.subtotal),
        tax=_text(sale, sale.tax),
        discount=_text(sale, sale.discount),
        total=_text(sale, sale.total),
        rounding=_text(sale, sale.rounding),
        tendered=_text(sale, sale.tendered) if sale.tendered is not None else None,
        change=_text(sale, sale.change) if sale.change is not None else None,
        refunded_amount=_text(sale, sale.refunded_amount),
        transaction_id=sale.transaction_id,
        payment=_payment(sale),
        payments=_parts(sale),
        cash_session_id=sale.cash_session_id,
        cash_to_return=_cash_to_return(sale),
        payment_note=sale.payment_note,
        customer=open_customer(cipher, sale),
        notes=sale.notes,
        cancel_reason=sale.cancel_reason,
        created_by=sale.created_by,
        created_at=sale.created_at,
        sold_at=sale.sold_at or sale.completed_at,
        till=sale.till,
        till_sequence=sale.till_sequence,
        till_total=_text(sale, sale.till_total) if sale.till_total is not None else None,
        updated_at=sale.updated_at,
        completed_at=sale.completed_at,
        canceled_at=sale.canceled_at,
    )


def answer(sale: Sale, cipher: FieldCipher, status: int) -> Answer:
    """{"data": sale} as bytes, to be given and stored alike."""
    return Answer(status, Data[SaleOut](data=present(sale, cipher)).model_dump_json(by_alias=True).encode())


def _payment(sale: Sale) -> PaymentOut:
    details = sale.payment_details or {}
    transfer = details.get("transfer")
    return PaymentOut(
        id=sale.transaction_id,
        method=PaymentMethod(sale.payment_method),
        status=sale.payment_status,
        qr_code_url=details.get("qrCodeUrl"),
        payment_link=details.get("paymentLink"),
        transfer=TransferOut.model_validate(transfer) if transfer else None,
        expires_at=sale.payment_expires_at,
        confirmed_at=sale.payment_confirmed_at,
    )


def _parts(sale: Sale) -> list[PartOut]:
    parts = []
    if sale.payment_method == PaymentMethod.CASH or sale.cash_amount:
        paid = "CONFIRMED" if sale.completed_at is not None else None
        parts.append(
            PartOut(method=PaymentMethod.CASH, amount=_text(sale, sale.cash_paid), status=paid, transaction_id=None)
        )
    if sale.payment_method != PaymentMethod.CASH:
        parts.append(
            PartOut(
                method=PaymentMethod(sale.payment_method),
                amount=_text(sale, sale.provider_amount),
                status=sale.payment_status,
                transaction_id=sale.transaction_id,
            )
        )
    return parts


def _cash_to_return(sale: Sale) -> str | None:
    """The drawer counts cash when a sale completes, so what was taken for the rest of a split one is in none."""
    split = sale.cash_amount > 0 and sale.payment_method != PaymentMethod.CASH
    return _text(sale, sale.cash_paid) if split and sale.status == SaleStatus.CANCELED else None


def _item(sale: Sale, item: SaleItem) -> SaleItemOut:
    return SaleItemOut(
        id=item.id,
        product_id=item.product_id,
        name=item.name,
        sku=item.sku,
        quantity=item.quantity,
        unit_price=_text(sale, item.unit_price),
        discount=_text(sale, item.discount),
        tax_rate=f"{item.tax_rate.normalize():f}",
        tax=_text(sale, item.tax),
        total=_text(sale, item.total),
    )


def _text(sale: Sale, amount: Decimal) -> str:
    return str(sale.money(amount))


def _place(sale_id: UUID) -> str:
    return f"sales.customer:{sale_id}"


def _device_place(sale_id: UUID) -> str:
    return f"sales.device:{sale_id}"
