"""The secrets of a suite in containers: one file per process, which only that process's user can read.

The containers of `docker-compose.yml` share a volume of these files. Each process runs as a user of its own, so that a
service that is broken into finds its own secrets and nobody else's; what may change the database's structure is for the
migration steps alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from stack.environment import Addresses, SuiteEnvironment
from stack.infra.external import ExternalServer
from stack.infra.locate import Infrastructure
from stack.infra.server import Kind
from stack.secret_store import SecretStore
from stack.services import SERVICES, TWINS, TWINS_PORT

# Who runs the steps of the deployment. The servers' own passwords are read by root, before the server leaves it.
STEP_USER = 10001
_ROOT = 0
_USERS_START = 2000

# What the processes are told in secret. All else stands in docker-compose.yml.
SECRETS = frozenset(
    {
        "RABBITMQ_URL",
        "REDIS_URL",
        "SERVICE_AUTH_SECRET",
        "FIELD_ENCRYPTION_KEYS",
        "BLIND_INDEX_KEY",
        "JWT_SECRET",
        "JWT_REFRESH_SECRET",
        "PASSWORD_PEPPER",
        "CONEKTA_API_KEY",
        "CONEKTA_WEBHOOK_PUBLIC_KEY",
        "MERCADOPAGO_ACCESS_TOKEN",
        "MERCADOPAGO_WEBHOOK_SECRET",
        "KHIPU_API_KEY",
        "KHIPU_WEBHOOK_SECRET",
        "PAYU_API_KEY",
        "PAYU_API_LOGIN",
        "TWILIO_ACCOUNT_SID",
        "TWILIO_AUTH_TOKEN",
        "SENDGRID_API_KEY",
        "SENDGRID_WEBHOOK_PUBLIC_KEY",
        "VONAGE_API_KEY",
        "VONAGE_API_SECRET",
        "FCM_SERVICE_ACCOUNT",
        "TWINS_CONEKTA_API_KEY",
        "TWINS_CONEKTA_PRIVATE_KEY",
        "TWINS_MERCADOPAGO_ACCESS_TOKEN",
        "TWINS_MERCADOPAGO_WEBHOOK_SECRET",
        "TWINS_KHIPU_API_KEY",
        "TWINS_KHIPU_SECRET",
        "TWINS_PAYU_API_KEY",
        "TWINS_PAYU_API_LOGIN",
        "TWINS_FCM_PRIVATE_KEY",
        "TWINS_SENDGRID_PRIVATE_KEY",
    }
)


@dataclass(frozen=True, slots=True)
class SecretFile:
    """One file. `owner` is the number of the only user that can read it."""

    name: str
    owner: int
    content: str


def user_of(http_port: int) -> int:
    """The user of the process whose usual HTTP port this is: 10101 for auth, which listens on 8101."""
    return _USERS_START + http_port


def secret_files(store: SecretStore, hosts: Mapping[Kind, str]) -> Iterator[SecretFile]:
    """Every file of the volume.

    Args:
        hosts: `host:port` of each server, as the containers reach it.
    """
    credentials = store.administrators()
    admin = f"postgresql://{credentials.user}:{credentials.postgres}@{hosts[Kind.POSTGRES]}/postgres"
    urls = {
        Kind.POSTGRES: admin,
        Kind.RABBITMQ: f"amqp://{credentials.user}:{credentials.rabbitmq}@{hosts[Kind.RABBITMQ]}/",
        Kind.REDIS: f"redis://:{credentials.redis}@{hosts[Kind.REDIS]}/0",
    }
    yield SecretFile("postgres-password", _ROOT, credentials.postgres)
    yield SecretFile("rabbitmq-password", _ROOT, credentials.rabbitmq)
    yield SecretFile("redis-password", _ROOT, credentials.redis)
    yield SecretFile("provision.env", STEP_USER, _lines({"POSTGRES_ADMIN_URL": admin}))

    environment = SuiteEnvironment(
        name="local",
        # Only secrets are taken from what it says, and none depends on a port or a folder.
        addresses=Addresses({service.name: 0 for service in SERVICES} | {TWINS: 0}, {}),
        secrets=store,
        infrastructure=Infrastructure({kind: ExternalServer(kind, url) for kind, url in urls.items()}, way="urls"),
        data=Path("/var/lib/cobro"),
        caller={},
    )
    yield SecretFile("topology.env", STEP_USER, _lines(_secret(environment.of_topology())))
    yield SecretFile("twins.env", user_of(TWINS_PORT), _lines(_secret(environment.of_twins())))
    for service in SERVICES:
        told = environment.of_service(service)
        secrets = _secret(told)
        if service.has_database:
            migration, own = f"{service.prefix}MIGRATION_DATABASE_URL", f"{service.prefix}DATABASE_URL"
            yield SecretFile(f"migrate-{service.name}.env", STEP_USER, _lines({**secrets, migration: told[migration]}))
            secrets[own] = told[own]
        yield SecretFile(f"{service.name}.env", user_of(service.http_port), _lines(secrets))


def _secret(told: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in told.items() if name in SECRETS}


def _lines(values: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in sorted(values.items()))
