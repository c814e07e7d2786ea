"""Every process is told what it needs and no other's secrets."""

from pathlib import Path

import pytest
from stack.environment import Addresses, SuiteEnvironment
from stack.infra.external import ExternalServer
from stack.infra.locate import Infrastructure
from stack.infra.server import Kind
from stack.ports import PortPicker
from stack.secret_store import SecretStore
from stack.services import SERVICES, WITH_DATABASE, find

SECRETS = SecretStore()
URLS = {
    Kind.POSTGRES: "postgresql://root:top@db:5432/postgres",
    Kind.RABBITMQ: "amqp://u:p@mq:5672/",
    Kind.REDIS: "redis://:p@cache:6379/0",
}


def make_environment(**caller: str) -> SuiteEnvironment:
    return SuiteEnvironment(
        name="test",
        addresses=Addresses.choose(PortPicker(), remembered={}, usual=False),
        secrets=SECRETS,
        infrastructure=Infrastructure({kind: ExternalServer(kind, url) for kind, url in URLS.items()}, way="urls"),
        data=Path("/data"),
        caller=caller,
    )


def test_every_service_listens_on_ports_of_its_own() -> None:
    environment = make_environment()
    ports = [
        value
        for service in SERVICES
        for name, value in environment.of_service(service).items()
        if name in {f"{service.prefix}HTTP_PORT", f"{service.prefix}GRPC_PORT"}
    ]
    assert len(ports) == len(set(ports)) == 2 * len(SERVICES) - 1


@pytest.mark.parametrize("name", WITH_DATABASE)
def test_a_service_knows_its_own_database_only(name: str) -> None:
    told = make_environment().of_service(find(name))
    assert {key for key in told if key.endswith("DATABASE_URL")} == {
        f"{name.upper()}_DATABASE_URL",
        f"{name.upper()}_MIGRATION_DATABASE_URL",
    }
    assert f"//{name}_app:" in told[f"{name.upper()}_DATABASE_URL"]
    assert f"//{name}_owner:" in told[f"{name.upper()}_MIGRATION_DATABASE_URL"]


def test_the_signing_key_is_for_auth_alone() -> None:
    environment = make_environment()
    knowing = [service.name for service in SERVICES if "JWT_SECRET" in environment.of_service(service)]
    assert knowing == ["auth"]


def test_the_signing_key_is_for_auth_alone_even_when_the_caller_sets_it() -> None:
    environment = make_environment(JWT_SECRET="given", POSTGRES_ADMIN_URL="postgresql://root:top@db/postgres")
    assert environment.of_service(find("auth"))["JWT_SECRET"] == "given"
    assert "JWT_SECRET" not in environment.of_service(find("gateway"))
    assert not any("root:top" in value for service in SERVICES for value in environment.of_service(service).values())


def test_the_callers_variables_win() -> None:
    environment = make_environment(LOG_LEVEL="DEBUG", PAYMENTS_DB_POOL_SIZE="3")
    told = environment.of_service(find("payments"))
    assert (told["LOG_LEVEL"], told["PAYMENTS_DB_POOL_SIZE"]) == ("DEBUG", "3")


def test_a_real_account_switches_its_twin_off() -> None:
    told = make_environment(CONEKTA_API_KEY="key_real").of_service(find("payments"))
    assert told["CONEKTA_API_KEY"] == "key_real"
    assert "CONEKTA_API_URL" not in told
    assert told["KHIPU_API_URL"].endswith("/khipu")


def test_twins_and_services_agree_on_keys_and_addresses() -> None:
    environment = make_environment()
    twins, payments = environment.of_twins(), environment.of_service(find("payments"))
    assert payments["CONEKTA_API_KEY"] == twins["TWINS_CONEKTA_API_KEY"]
    assert payments["CONEKTA_API_URL"] == f"http://127.0.0.1:{twins['TWINS_HTTP_PORT']}/conekta"
    assert payments["KHIPU_API_KEY"] == twins["TWINS_KHIPU_API_KEY"]
    assert payments["KHIPU_WEBHOOK_SECRET"] == twins["TWINS_KHIPU_SECRET"]
    assert payments["KHIPU_API_URL"] == f"http://127.0.0.1:{twins['TWINS_HTTP_PORT']}/khipu"
    gateway = environment.of_service(find("gateway"))
    assert payments["KHIPU_NOTIFY_URL"] == f"http://127.0.0.1:{gateway['GATEWAY_HTTP_PORT']}/webhooks/khipu"
    assert payments["PAYU_API_KEY"] == twins["TWINS_PAYU_API_KEY"]
    assert payments["PAYU_API_LOGIN"] == twins["TWINS_PAYU_API_LOGIN"]
    assert payments["PAYU_NOTIFY_URL"] == f"http://127.0.0.1:{gateway['GATEWAY_HTTP_PORT']}/webhooks/payu"
    assert payments["MERCADOPAGO_ACCESS_TOKEN"] == twins["TWINS_MERCADOPAGO_ACCESS_TOKEN"]
    assert payments["MERCADOPAGO_WEBHOOK_SECRET"] == twins["TWINS_MERCADOPAGO_WEBHOOK_SECRET"]
    assert twins["TWINS_MERCADOPAGO_WEBHOOK_URL"].endswith(f":{gateway['GATEWAY_HTTP_PORT']}/webhooks/mercadopago")
    assert twins["TWINS_CONEKTA_WEBHOOK_URL"] == f"http://127.0.0.1:{gateway['GATEWAY_HTTP_PORT']}/webhooks/conekta"


def test_remembered_ports_are_used_again() -> None:
    first = Addresses.choose(PortPicker(), remembered={}, usual=False)
    assert Addresses.choose(PortPicker(), remembered=first.as_ports(), usual=True) == first
