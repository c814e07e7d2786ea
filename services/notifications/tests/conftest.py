import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from chassis.auth import Principal
from chassis.directory import Branch, Business
from chassis.rpc.identity import ServiceIdentity
from chassis.rpc.server import RpcServer, RpcService
from chassis.tenancy import everyone
from chassis.testing.service import COMMON, ServiceUnderTest, running_service
from chassis.testing.tokens import make_principal
from contracts.auth.v1 import directory_pb2, directory_pb2_grpc
from contracts.billing.v1 import invoices_pb2, invoices_pb2_grpc
from contracts.events import MoneyAmount
from contracts.events.billing import InvoiceIssued
from contracts.sales.v1 import sales_pb2, sales_pb2_grpc
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from kernel import CobroError, Country, Money, NotFound, new_id
from notifications.__main__ import MIGRATIONS
from notifications.app import build
from notifications.settings import NotificationsSettings
from pydantic import SecretStr
from stack.ports import PortPicker
from twins.testing import Twins, running_twins


class Peers(
    sales_pb2_grpc.SalesServicer,
    invoices_pb2_grpc.InvoicesServicer,
    directory_pb2_grpc.DirectoryServicer,
    directory_pb2_grpc.CodesServicer,
):
    """sales, billing and auth over real gRPC: contacts by sale and by user, codes, and errors on demand by id."""

    def __init__(self) -> None:
        self.buyers: dict[str, sales_pb2.Customer] = {}
        self.users: dict[str, directory_pb2.User] = {}
        self.codes: dict[str, directory_pb2.Code] = {}
        self.faults: dict[str, list[CobroError]] = {}
        self.targets: dict[str, str] = {}

    def _fail(self, id: str) -> None:
        if faults := self.faults.get(id):
            raise faults.pop(0)

    async def GetSale(self, request: sales_pb2.GetSaleRequest, _: object) -> sales_pb2.Sale:
        self._fail(request.sale_id)
        if request.sale_id not in self.buyers:
            raise NotFound("Sale not found", code="sale_not_found")
        return sales_pb2.Sale(id=request.sale_id, customer=self.buyers[request.sale_id])

    async def GetInvoiceOfSale(self, request: invoices_pb2.GetInvoiceOfSaleRequest, _: object) -> invoices_pb2.Invoice:
        return invoices_pb2.Invoice(receipt_url=f"https://cobro.example/r/{request.sale_id}")

    async def GetUser(self, request: directory_pb2.GetUserRequest, _: object) -> directory_pb2.User:
        self._fail(request.user_id)
        if request.user_id not in self.users:
            raise NotFound("User not found", code="user_not_found")
        return self.users[request.user_id]

    async def GetCode(self, request: directory_pb2.GetCodeRequest, _: object) -> directory_pb2.Code:
        self._fail(request.code_id)
        if request.code_id not in self.codes:
            raise NotFound("Code not found", code="code_not_found")
        return self.codes[request.code_id]

    def bought(self, **customer: str) -> UUID:
        """A sale whose buyer left this contact."""
        sale_id = new_id()
        self.buyers[str(sale_id)] = sales_pb2.Customer(**customer)
        return sale_id

    def registered(self, *, phone: str, email: str = "", language: str = "es") -> UUID:
        """A user of Cobro."""
        user_id = new_id()
        self.users[str(user_id)] = directory_pb2.User(
            id=str(user_id), phone=phone, email=email, first_name="Ana", language=language
        )
        return user_id


@pytest.fixture(scope="session")
async def peers() -> AsyncIterator[Peers]:
    fake = Peers()
    services = {
        "sales": [RpcService("contracts.sales.v1.Sales", sales_pb2_grpc.add_SalesServicer_to_server, fake)],
        "billing": [
            RpcService("contracts.billing.v1.Invoices", invoices_pb2_grpc.add_InvoicesServicer_to_server, fake)
        ],
        "auth": [
            RpcService("contracts.auth.v1.Directory", directory_pb2_grpc.add_DirectoryServicer_to_server, fake),
            RpcService("contracts.auth.v1.Codes", directory_pb2_grpc.add_CodesServicer_to_server, fake),
        ],
    }
    servers = []
    for name, offered in services.items():
        server = RpcServer(name, offered, ServiceIdentity(name, COMMON["SERVICE_AUTH_SECRET"]))
        fake.targets[f"{name.upper()}_GRPC_TARGET"] = f"127.0.0.1:{await server.start('127.0.0.1:0')}"
        servers.append(server)
    yield fake
    for server in servers:
        await server.stop(0)


@dataclass(frozen=True)
class Keys:
    """google: PEM (RSA) of the service account. sendgrid: of the event webhook; sendgrid_public: base64 of its DER."""

    google: str
    sendgrid: ec.EllipticCurvePrivateKey
    sendgrid_public: str


@pytest.fixture(scope="session")
def keys() -> Keys:
    google = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = google.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    sendgrid = ec.generate_private_key(ec.SECP256R1())
    public = sendgrid.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Keys(pem, sendgrid, base64.b64encode(public).decode())


MAIL_PORT = PortPicker().pick()


@pytest.fixture(scope="session")
async def twins(keys: Keys) -> AsyncIterator[Twins]:
    async with running_twins(
        fcm_private_key=SecretStr(keys.google), smtp_port=MAIL_PORT, message_reports=False
    ) as running:
        yield running


@pytest.fixture(scope="session")
async def sut(peers: Peers, twins: Twins, keys: Keys) -> AsyncIterator[ServiceUnderTest]:
    account = {
        "project_id": "cobro-test",
        "client_email": "push@cobro-test.iam.gserviceaccount.com",
        "private_key_id": "1",
        "private_key": keys.google,
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    environment = {
        "VONAGE_API_URL": twins.vonage_url,
        "VONAGE_API_KEY": "vonage",
        "VONAGE_API_SECRET": "secret-of-the-tests",
        "VONAGE_FROM": "+15005550007",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(MAIL_PORT),
        "SMTP_SECURITY": "none",
        "FCM_API_URL": twins.fcm_url,
        "FCM_TOKEN_URL": f"{twins.fcm_url}/token",
        "FCM_SERVICE_ACCOUNT": json.dumps(account),
        "SENDGRID_WEBHOOK_PUBLIC_KEY": keys.sendgrid_public,
        **peers.targets,
        "PUBLIC_URL": "https://cobro.mx",
        "NOTIFICATIONS_PROVIDER_TIMEOUT": "0.5",
        "TWILIO_API_URL": twins.twilio_url,
        "TWILIO_ACCOUNT_SID": "AC0123456789abcdef0123456789abcdef",
        "TWILIO_AUTH_TOKEN": "token-of-the-tests",
        "TWILIO_FROM": "+15005550006",
        "SENDGRID_API_URL": twins.sendgrid_url,
        "SENDGRID_API_KEY": "SG.of.the.tests",
        "SENDGRID_FROM": "cobro@example.com",
    }
    async with running_service(
        "notifications", NotificationsSettings, build, migrations=MIGRATIONS, environment=environment
    ) as service:
        yield service


@dataclass(frozen=True)
class Shop:
    business: Business
    branch: Branch
    owner: Principal


@pytest.fixture(scope="session")
def open_shop(sut: ServiceUnderTest) -> Callable[..., Shop]:
    def opened(country: Country = Country.MX) -> Shop:
        business = sut.directory.open_business(country=country)
        return Shop(business, sut.directory.open_branch(business.id), make_principal(owns=[business.id]))

    return opened


@pytest.fixture
def shop(open_shop: Callable[..., Shop]) -> Shop:
    return open_shop()


@pytest.fixture(scope="session")
def phones() -> Callable[[], str]:
    """Numbers nobody else in this run has."""
    numbers = iter(range(10_000_000, 99_999_999))
    return lambda: f"+5255{next(numbers)}"


@pytest.fixture(scope="session")
def receipt() -> Callable[..., InvoiceIssued]:
    def issued(shop: Shop, sale_id: UUID, total: int = 17900) -> InvoiceIssued:
        return InvoiceIssued(
            aggregate_id=new_id(),
            aggregate_version=2,
            business_id=shop.business.id,
            branch_id=shop.branch.id,
            sale_id=sale_id,
            invoice_number="R-00000042",
            total=MoneyAmount.of(Money(total, shop.business.currency)),
            time_zone=shop.business.time_zone,
            issued_at=datetime(2026, 11, 23, 1, 15, tzinfo=UTC),
        )

    return issued


@pytest.fixture(scope="session")
def send_all(sut: ServiceUnderTest) -> Callable[[], Awaitable[None]]:
    async def send() -> None:
        with everyone():  # as a job does
            for sender in sut.context.senders.values():
                while await sender.send_due():
                    pass

    return send


@pytest.fixture(scope="session")
def listed(sut: ServiceUnderTest) -> Callable[..., Awaitable[list[dict[str, Any]]]]:
    """The business's messages as its owner sees them, newest first."""

    async def get(shop: Shop, **params: str) -> list[dict[str, Any]]:
        query = {"businessId": str(shop.business.id), **params}
        answer = await sut.client.get("/api/v1/notifications", params=query, headers=sut.as_(shop.owner))
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["data"]
        return rows

    return get
