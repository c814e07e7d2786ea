"""What the saga asks of catalog and payments. Every call is idempotent by the sale's id, so that asking again is always
right, and a call without an answer is resolved by asking again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from chassis.rpc.client import call
from contracts.catalog.v1 import inventory_pb2, inventory_pb2_grpc
from contracts.payments.v1 import payments_pb2, payments_pb2_grpc
from kernel import CobroError, Currency, Money

from sales.sales.models import Sale


@dataclass(frozen=True, slots=True)
class PricedProduct:
    """A product as the catalogue sells it at this moment; unit_price includes tax."""

    product_id: UUID
    name: str
    sku: str | None
    unit_price: Money
    tax_rate: Decimal


@dataclass(frozen=True, slots=True)
class Payer:
    """The buyer as far as they are known, and their browser. person_type: N or J."""

    name: str = ""
    phone: str = ""
    email: str = ""
    document_type: str = ""
    document_number: str = ""
    person_type: str = ""
    ip_address: str = ""
    user_agent: str = ""
    session_id: str = ""
    cookie: str = ""


@dataclass(frozen=True, slots=True)
class ProviderRefund:
    """A refund as payments has it. status: PENDING, SUCCEEDED or FAILED."""

    id: UUID
    status: str
    failure_reason: str | None


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as payments describes it, whether it came as an answer or as an event."""

    id: UUID
    business_id: UUID
    status: str
    failure_reason: str | None
    amount: Money
    version: int
    expires_at: datetime | None = None
    confirmed_at: datetime | None = None
    details: dict[str, Any] | None = None


class Inventory:
    """catalog's Inventory. Errors: see `protos/contracts/catalog/v1/inventory.proto`."""

    def __init__(self, stub: inventory_pb2_grpc.InventoryStub, *, timeout: float) -> None:
        self._stub = stub
        self._timeout = timeout

    async def reserve(self, sale: Sale, *, expires_at: datetime, revive: bool = False) -> dict[UUID, PricedProduct]:
        """Take the basket's goods off the shelf; returns what each product is called and costs."""
        lines = [
            inventory_pb2.ReserveLine(product_id=item["productId"], quantity=item["quantity"])
            for item in sale.basket["items"]
        ]
        request = inventory_pb2.ReserveRequest(
            business_id=str(sale.business_id),
            branch_id=str(sale.branch_id),
            sale_id=str(sale.id),
            lines=lines,
            expires_at_ms=_millis(expires_at),
            # A sale made offline that was refused may be sent again: what was released is reserved again.
            revive=revive or sale.sold_at is not None,
            already_sold=sale.sold_at is not None,
            priced_at_ms=_millis(sale.sold_at) if sale.sold_at is not None else 0,
        )
        reservation = await call("catalog", self._stub.Reserve(request, timeout=self._timeout))
        return {UUID(line.product_id): _priced(line) for line in reservation.lines}

    async def commit(self, sale: Sale) -> None:
        request = inventory_pb2.CommitRequest(business_id=str(sale.business_id), sale_id=str(sale.id))
        await call("catalog", self._stub.Commit(request, timeout=self._timeout))

    async def release(self, sale: Sale, reason: str) -> None:
        request = inventory_pb2.ReleaseRequest(business_id=str(sale.business_id), sale_id=str(sale.id), reason=reason)
        await call("catalog", self._stub.Release(request, timeout=self._timeout))

    async def take_back(self, sale: Sale, return_id: UUID, goods: Mapping[UUID, int]) -> None:
        """Goods of a sold sale come back to its branch, by product; idempotent by return_id."""
        request = inventory_pb2.ReturnRequest(
            business_id=str(sale.business_id),
            sale_id=str(sale.id),
            return_id=str(return_id),
            lines=[
                inventory_pb2.ReserveLine(product_id=str(product), quantity=quantity)
                for product, quantity in goods.items()
            ],
        )
        await call("catalog", self._stub.Return(request, timeout=self._timeout))


class Payments:
    """payments' Payments. Errors: see `protos/contracts/payments/v1/payments.proto`."""

    def __init__(self, stub: payments_pb2_grpc.PaymentsStub, *, timeout: float) -> None:
        self._stub = stub
        self._timeout = timeout

    async def create(self, sale: Sale, payer: Payer) -> Payment:
        """The sale's payment: a new one, or the one that an earlier call made."""
        request = payments_pb2.CreatePaymentRequest(
            business_id=str(sale.business_id),
            idempotency_key=str(sale.id),
            sale_id=str(sale.id),
            amount_minor=sale.money(sale.provider_amount).minor,
            currency=sale.currency,
            method=sale.payment_method,
            description=f"Venta {str(sale.id)[-8:].upper()}",
            expires_in=sale.expires_in or 0,
            payer=payments_pb2.Payer(
                name=payer.name,
                phone=payer.phone,
                email=payer.email,
                document_type=payer.document_type,
                document_number=payer.document_number,
                person_type=payer.person_type,
            ),
            metadata={"saleId": str(sale.id)},
            bank_code=sale.bank_code or "",
            device=_device(payer),
            kyc_level=sale.kyc_level,
        )
        return payment_of(await call("payments", self._stub.CreatePayment(request, timeout=self._timeout)))

    async def get(self, sale: Sale) -> Payment:
        request = payments_pb2.GetPaymentRequest(business_id=str(sale.business_id), payment_id=str(sale.transaction_id))
        return payment_of(await call("payments", self._stub.GetPayment(request, timeout=self._timeout)))

    async def cancel(self, sale: Sale, payment_id: UUID, reason: str) -> Payment:
        """The payment after the attempt: FAILED, or CONFIRMED when the buyer was faster."""
        request = payments_pb2.CancelPaymentRequest(
            business_id=str(sale.business_id), payment_id=str(payment_id), reason=reason
        )
        return payment_of(await call("payments", self._stub.CancelPayment(request, timeout=self._timeout)))

    async def refund_late(self, sale: Sale) -> str:
        """Give back all of a payment that found its sale canceled; returns PENDING, SUCCEEDED or FAILED."""
        request = payments_pb2.RefundPaymentRequest(
            business_id=str(sale.business_id),
            payment_id=str(sale.transaction_id),
            idempotency_key=f"late-{sale.id}",
            amount_minor=0,
            reason="late_payment",
        )
        refund = await call("payments", self._stub.RefundPayment(request, timeout=self._timeout))
        return str(refund.status)

    async def refund(self, sale: Sale, refund_id: UUID, amount: Decimal, reason: str | None) -> ProviderRefund:
        """Give back a part of the sale's payment; idempotent by refund_id."""
        request = payments_pb2.RefundPaymentRequest(
            business_id=str(sale.business_id),
            payment_id=str(sale.transaction_id),
            idempotency_key=f"refund-{refund_id}",
            amount_minor=sale.money(amount).minor,
            reason=reason or "",
        )
        return _refund_of(await call("payments", self._stub.RefundPayment(request, timeout=self._timeout)))

    async def get_refund(self, sale: Sale, provider_refund_id: UUID) -> ProviderRefund:
        request = payments_pb2.GetRefundRequest(
            business_id=str(sale.business_id),
            payment_id=str(sale.transaction_id),
            refund_id=str(provider_refund_id),
        )
        return _refund_of(await call("payments", self._stub.GetRefund(request, timeout=self._timeout)))


def payment_of(answer: payments_pb2.Payment) -> Payment:
    return Payment(
        id=UUID(answer.id),
        business_id=UUID(answer.business_id),
        status=answer.status,
        failure_reason=answer.failure_reason or None,
        amount=Money(answer.amount_minor, Currency(answer.currency)),
        version=answer.version,
        expires_at=_time(answer.expires_at_ms),
        confirmed_at=_time(answer.confirmed_at_ms),
        details=_details(answer),
    )


def outcome_unknown(error: CobroError) -> bool:
    """Whether to wait and ask again after a call that failed as unavailable: it ran out of time, or payments does not
    know what its provider did. A peer that says "unavailable", or cannot be reached, is not waited for."""
    if error.metadata.get("grpc_status") != "UNAVAILABLE":
        return True
    return error.metadata.get("code", "").endswith("outcome_unknown")


def _refund_of(answer: payments_pb2.Refund) -> ProviderRefund:
    return ProviderRefund(UUID(answer.id), answer.status, answer.failure_reason or None)


def _device(payer: Payer) -> payments_pb2.Device | None:
    device = payments_pb2.Device(
        ip_address=payer.ip_address, user_agent=payer.user_agent, session_id=payer.session_id, cookie=payer.cookie
    )
    return device if device.ByteSize() else None


def _priced(line: inventory_pb2.PricedLine) -> PricedProduct:
    return PricedProduct(
        product_id=UUID(line.product_id),
        name=line.name,
        sku=line.sku or None,
        unit_price=Money(line.unit_price_minor, Currency(line.currency)),
        tax_rate=Decimal(line.tax_rate),
    )


def _details(answer: payments_pb2.Payment) -> dict[str, Any]:
    transfer = answer.transfer
    shown = {"clabe": transfer.clabe or None, "reference": transfer.reference or None, "bank": transfer.bank or None}
    return {
        "qrCodeUrl": answer.qr_code_url or None,
        "paymentLink": answer.payment_link or None,
        "transfer": shown if any(shown.values()) else None,
    }


def _millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _time(millis: int) -> datetime | None:
    return datetime.fromtimestamp(millis / 1000, UTC) if millis else None
