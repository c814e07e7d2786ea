"""The composition root of the payments service."""

from __future__ import annotations

from chassis.reencryption import SealedTable
from chassis.rpc.server import RpcService
from chassis.runtime import Job, Kit, Service
from contracts.payments.v1 import payments_pb2, payments_pb2_grpc
from psp.registry import ProviderRegistry

from payments.accounts import service as account_service
from payments.accounts.models import SEALED, payment_accounts
from payments.accounts.providers import AccountProviders
from payments.accounts.routes import router as accounts_router
from payments.accounts.rpc import AccountsServicer
from payments.checkout.routes import router as checkout_router
from payments.confirmation.routes import router as confirmation_router
from payments.context import PaymentsContext
from payments.counter.routes import router as counter_router
from payments.intents.listing import PaymentLists
from payments.intents.models import payments
from payments.intents.routes import router as intents_router
from payments.intents.rpc import PaymentsServicer
from payments.methods.banks import BankLists
from payments.methods.routes import router as methods_router
from payments.reconciliation import service as reconciliation
from payments.reconciliation.routes import router as reconciliation_router
from payments.refunds import service as refunds
from payments.refunds.routes import router as refunds_router
from payments.resolution import service as resolution
from payments.resolution.consumers import CONSUMERS
from payments.settings import PaymentsSettings


async def build(kit: Kit[PaymentsSettings]) -> Service:
    return compose(kit, ProviderRegistry.open(kit.clock))


def compose(kit: Kit[PaymentsSettings], providers: ProviderRegistry) -> Service:
    """The service over these providers, which it closes in the end."""
    kit.on_close(providers.close)
    public_url = kit.common.public_url.rstrip("/")
    accounts = AccountProviders(
        kit.database,
        kit.cipher,
        kit.clock,
        providers,
        public_url=public_url,
        most_open=kit.settings.open_accounts,
    )
    kit.on_close(accounts.close)
    ctx = PaymentsContext(
        settings=kit.settings,
        public_url=public_url,
        database=kit.database,
        clock=kit.clock,
        cipher=kit.cipher,
        blind_index=kit.blind_index,
        access=kit.access,
        directory=kit.directory,
        idempotency=kit.idempotency,
        providers=providers,
        lists=PaymentLists(kit.database),
        banks=BankLists(kit.cache, kit.clock),
        accounts=accounts,
    )
    return Service(
        context=ctx,
        routers=[
            intents_router,
            refunds_router,
            confirmation_router,
            checkout_router,
            methods_router,
            counter_router,
            reconciliation_router,
            accounts_router,
        ],
        rpc=[
            RpcService(
                payments_pb2.DESCRIPTOR.services_by_name["Payments"].full_name,
                payments_pb2_grpc.add_PaymentsServicer_to_server,
                PaymentsServicer(ctx),
            ),
            RpcService(
                payments_pb2.DESCRIPTOR.services_by_name["PaymentAccounts"].full_name,
                payments_pb2_grpc.add_PaymentAccountsServicer_to_server,
                AccountsServicer(ctx),
                callers=frozenset({"webhooks"}),
            ),
        ],
        consumers=CONSUMERS,
        jobs=[
            # Shared by all processes: each takes rows that no other holds.
            Job("resolve-payments", 1, lambda: resolution.resolve_due(ctx), exclusive=False),
            Job("resolve-refunds", 1, lambda: refunds.resolve_due(ctx), exclusive=False),
            Job("schedule-reconciliations", 600, lambda: reconciliation.schedule(ctx)),
            Job("run-reconciliations", 5, lambda: reconciliation.run_due(ctx)),
            Job("measure-reconciliations", 60, lambda: reconciliation.measure(ctx), exclusive=False),
            Job("check-accounts", 300, lambda: account_service.check_unverified(ctx)),
            Job("tidy-accounts", 3600, lambda: account_service.tidy(ctx)),
            Job("measure-payments", 15, lambda: resolution.measure(ctx), exclusive=False),
            Job("measure-refunds", 15, lambda: refunds.measure(ctx), exclusive=False),
        ],
        sealed=[SealedTable(payments, ("customer", "payer")), SealedTable(payment_accounts, SEALED)],
        body_limit=64 * 1024,
    )
