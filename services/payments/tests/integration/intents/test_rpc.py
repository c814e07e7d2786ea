"""The same use cases over gRPC."""

import asyncio

import pytest
from chassis.rpc.client import call
from contracts.payments.v1 import payments_pb2, payments_pb2_grpc
from kernel import Conflict, InvalidInput, NotFound, RuleViolation, Unavailable, new_id

pytestmark = pytest.mark.integration


@pytest.fixture(scope="session")
async def stub(sut):
    return payments_pb2_grpc.PaymentsStub(await sut.channel())


def wish(till, **fields):
    return payments_pb2.CreatePaymentRequest(
        **{
            "business_id": str(till.business.id),
            "idempotency_key": str(new_id()),
            "amount_minor": 15050,
            "currency": "MXN",
            "method": "QR_DYNAMIC",
            "expires_in": 600,
            "sale_id": str(new_id()),
            **fields,
        }
    )


async def create(stub, request, **options):
    return await call("payments", stub.CreatePayment(request, timeout=10, **options))


async def test_create_get_cancel(till, stub):
    request = wish(till, description="Venta", metadata={"a": "b"}, payer=payments_pb2.Payer(name="Ana"))
    created = await create(stub, request)
    assert (created.status, created.amount_minor, created.sale_id) == ("PENDING", 15050, request.sale_id)
    assert created.qr_code_url
    assert created.expires_at_ms
    named = {"business_id": created.business_id, "payment_id": created.id}
    got = await call("payments", stub.GetPayment(payments_pb2.GetPaymentRequest(**named)))
    assert got == created
    canceled = await call("payments", stub.CancelPayment(payments_pb2.CancelPaymentRequest(**named)))
    assert (canceled.status, canceled.failure_reason) == ("FAILED", "canceled")
    assert canceled.version > created.version
    assert (await till.show(created.id))["saleId"] == request.sale_id


async def test_the_key_gives_the_same_payment(till, stub):
    request = wish(till)
    assert await create(stub, request) == await create(stub, request)
    request.amount_minor += 1
    with pytest.raises(RuleViolation) as raised:
        await create(stub, request)
    assert raised.value.code == "idempotency_key_reused"


async def test_a_canceled_payment_that_was_paid_comes_back_confirmed(till, stub):
    created = await create(stub, wish(till))
    await till.twins.pay(created.id)
    request = payments_pb2.CancelPaymentRequest(business_id=created.business_id, payment_id=created.id)
    assert (await call("payments", stub.CancelPayment(request))).status == "CONFIRMED"


async def test_a_sale_has_one_live_payment(till, stub):
    sale = str(new_id())
    first = await create(stub, wish(till, sale_id=sale))
    with pytest.raises(Conflict) as raised:
        await create(stub, wish(till, sale_id=sale))
    assert raised.value.code == "sale_has_payment"
    request = payments_pb2.CancelPaymentRequest(business_id=first.business_id, payment_id=first.id)
    await call("payments", stub.CancelPayment(request))
    second = await create(stub, wish(till, sale_id=sale))
    # Money that comes for the first after all is taken, although the sale has another payment by now.
    await till.twins.pay(first.id, force=True)
    await till.webhook({"id": first.id, "providerRef": first.provider_ref})
    assert (await till.show(first.id))["status"] == "CONFIRMED"
    assert (await till.show(first.id))["late"] is True
    assert (await till.show(second.id))["status"] == "PENDING"


async def test_refund(till, stub):
    created = await create(stub, wish(till))
    await till.twins.pay(created.id)
    await till.webhook({"id": created.id, "providerRef": created.provider_ref})
    named = {"business_id": created.business_id, "payment_id": created.id, "idempotency_key": str(new_id())}
    request = payments_pb2.RefundPaymentRequest(**named, amount_minor=5000)
    refund = await call("payments", stub.RefundPayment(request))
    assert (refund.status, refund.amount_minor) == ("SUCCEEDED", 5000)
    assert await call("payments", stub.RefundPayment(request)) == refund
    asked = payments_pb2.GetRefundRequest(business_id=created.business_id, payment_id=created.id, refund_id=refund.id)
    assert await call("payments", stub.GetRefund(asked)) == refund
    asked.refund_id = str(new_id())
    with pytest.raises(NotFound):
        await call("payments", stub.GetRefund(asked))
    named["idempotency_key"] = str(new_id())
    with pytest.raises(RuleViolation) as raised:
        await call("payments", stub.RefundPayment(payments_pb2.RefundPaymentRequest(**named, amount_minor=10051)))
    assert raised.value.code == "refund_exceeds_payment"
    rest = await call("payments", stub.RefundPayment(payments_pb2.RefundPaymentRequest(**named)))
    assert rest.amount_minor == 10050


async def test_another_business_does_not_see_it(till, stub):
    created = await create(stub, wish(till))
    for method, request in (
        (stub.GetPayment, payments_pb2.GetPaymentRequest),
        (stub.CancelPayment, payments_pb2.CancelPaymentRequest),
    ):
        with pytest.raises(NotFound):
            await call("payments", method(request(business_id=str(new_id()), payment_id=created.id)))


@pytest.mark.parametrize(
    "fields",
    [
        {"business_id": "x"},
        {"sale_id": "x"},
        {"amount_minor": 0},
        {"amount_minor": -5},
        {"amount_minor": 2**62},
        {"currency": "USD"},
        {"method": "CASH"},
        {"idempotency_key": ""},
        {"idempotency_key": "x" * 129},
    ],
)
async def test_bad_input_is_named(till, stub, fields):
    with pytest.raises(InvalidInput):
        await create(stub, wish(till, **fields))


async def test_an_unknown_outcome_is_unavailable_and_the_same_key_resumes_it(till, stub):
    await till.twins.fault("http_500_after_charging", operation="orders.create")
    for operation in ("orders.search", "orders.list"):
        await till.twins.fault("http_500", times=None, operation=operation)
    request = wish(till)
    with pytest.raises(Unavailable):
        await create(stub, request)
    await till.twins.clear_faults()
    created = await create(stub, request)
    assert created.payment_link
    assert len(await till.twins.orders(created.id)) == 1


async def test_a_caller_whose_patience_ends_finds_the_payment_at_its_next_try(till, stub):
    await till.twins.fault("slow", operation="orders.create", seconds=0.6)
    request = wish(till)
    with pytest.raises(Unavailable):
        await call("payments", stub.CreatePayment(request, timeout=0.2))
    async with asyncio.timeout(5):
        while True:
            try:
                created = await create(stub, request)
                break
            except Conflict as error:
                assert error.code == "idempotency_in_progress"  # noqa: PT017
                await asyncio.sleep(0.05)
    assert created.payment_link
    assert len(await till.twins.orders(created.id)) == 1
