"""What each process is told through its environment.

A variable set by the caller wins over one made here. A process gets its own secrets and databases, never those of
another.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chassis.database.provision import app_url, owner_url

from stack.infra import Infrastructure
from stack.infra.server import Kind
from stack.ports import PortPicker
from stack.secret_store import SecretStore
from stack.services import DATABASE, SERVICES, TWINS, TWINS_MAIL, TWINS_MAIL_PORT, TWINS_PORT, Service

HOST = "127.0.0.1"

# Real accounts of outside systems, each with the variables that belong together: who sets the first means the real one.
_OUTSIDE_SYSTEMS = {
    "CONEKTA_API_KEY": ("CONEKTA_API_URL", "CONEKTA_WEBHOOK_PUBLIC_KEY"),
    "MERCADOPAGO_ACCESS_TOKEN": (
        *("MERCADOPAGO_API_URL", "MERCADOPAGO_WEBHOOK_SECRET"),
        *("MERCADOPAGO_USER_ID", "MERCADOPAGO_EXTERNAL_POS_ID"),
    ),
    "KHIPU_API_KEY": ("KHIPU_API_URL", "KHIPU_WEBHOOK_SECRET", "KHIPU_NOTIFY_URL", "KHIPU_RECEIVER_ID"),
    "PAYU_API_KEY": (
        *("PAYU_API_URL", "PAYU_CHECKOUT_URL", "PAYU_API_LOGIN"),
        *("PAYU_MERCHANT_ID", "PAYU_ACCOUNT_ID", "PAYU_NOTIFY_URL"),
        *("PAYU_FIRST_READING_SECONDS", "PAYU_READING_INTERVAL_SECONDS"),
    ),
    "TWILIO_AUTH_TOKEN": ("TWILIO_API_URL", "TWILIO_ACCOUNT_SID", "TWILIO_FROM"),
    "SENDGRID_API_KEY": ("SENDGRID_API_URL", "SENDGRID_FROM", "SENDGRID_WEBHOOK_PUBLIC_KEY"),
    "VONAGE_API_KEY": ("VONAGE_API_URL", "VONAGE_API_SECRET", "VONAGE_FROM"),
    "SMTP_HOST": ("SMTP_PORT", "SMTP_SECURITY", "SMTP_USERNAME", "SMTP_PASSWORD"),
    "FCM_SERVICE_ACCOUNT": ("FCM_API_URL", "FCM_TOKEN_URL"),
}


@dataclass(frozen=True, slots=True)
class Addresses:
    """The ports of one suite, each pinned once. All listen on the loopback interface."""

    http: Mapping[str, int]
    grpc: Mapping[str, int]
    # The twins' mail server.
    mail: int = TWINS_MAIL_PORT

    @classmethod
    def choose(cls, ports: PortPicker, *, remembered: Mapping[str, int], usual: bool) -> "Addresses":
        """Ports for every process.

        Args:
            remembered: those of an earlier run, by `<name>.http` and `<name>.grpc`, and the mail server's.
            usual: whether to fall back on each service's usual port before taking any free one.
        """

        def pick(key: str, default: int) -> int:
            return ports.pick(remembered.get(key, default if usual else None))

        http = {service.name: pick(f"{service.name}.http", service.http_port) for service in SERVICES}
        http[TWINS] = pick(f"{TWINS}.http", TWINS_PORT)
        mail = pick(TWINS_MAIL, TWINS_MAIL_PORT)
        grpc = {
            service.name: pick(f"{service.name}.grpc", service.grpc_port)
            for service in SERVICES
            if service.grpc_port is not None
        }
        return cls(http, grpc, mail)

    def url(self, name: str) -> str:
        """The HTTP address of a service or of the twins, without a slash at the end."""
        return f"http://{HOST}:{self.http[name]}"

    def as_ports(self) -> dict[str, int]:
        """What `choose` takes as `remembered`."""
        return (
            {f"{name}.http": port for name, port in self.http.items()}
            | {f"{name}.grpc": port for name, port in self.grpc.items()}
            | {TWINS_MAIL: self.mail}
        )


class SuiteEnvironment:
    """Builds the environment of every process of one suite.

    Args:
        data: folder for what services and twins keep outside the database.
        caller: the caller's variables, which win; pass an empty mapping to be independent of them.
        extra: variables for every process that win over all others.
    """

    def __init__(
        self,
        *,
        name: str,
        addresses: Addresses,
        secrets: SecretStore,
        infrastructure: Infrastructure,
        data: Path,
        caller: Mapping[str, str] = os.environ,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        self._name = name
        self.addresses = addresses
        self._secrets = secrets
        self._infrastructure = infrastructure
        self._data = data
        self._caller = caller
        self._extra = extra or {}

    def of_service(self, service: Service) -> dict[str, str]:
        """For `python -m <service>`."""
        own = self._common() | self._listening(service) | self._private(service)
        return self._finish(own, knows=service.knows)

    def of_twins(self) -> dict[str, str]:
        """For `python -m twins`."""
        return self._finish(
            {
                "ENVIRONMENT": self._name,
                "LOG_LEVEL": "INFO",
                "TWINS_HTTP_HOST": HOST,
                "TWINS_HTTP_PORT": str(self.addresses.http[TWINS]),
                "TWINS_DATA_DIR": str(self._data / "twins"),
                "TWINS_CONEKTA_PRIVATE_KEY": self._secrets["TWINS_CONEKTA_PRIVATE_KEY"],
                "TWINS_CONEKTA_API_KEY": self._secrets["TWINS_CONEKTA_API_KEY"],
                "TWINS_CONEKTA_WEBHOOK_URL": f"{self.addresses.url('gateway')}/webhooks/conekta",
                "TWINS_MERCADOPAGO_ACCESS_TOKEN": self._secrets["TWINS_MERCADOPAGO_ACCESS_TOKEN"],
                "TWINS_MERCADOPAGO_WEBHOOK_SECRET": self._secrets["TWINS_MERCADOPAGO_WEBHOOK_SECRET"],
                "TWINS_MERCADOPAGO_WEBHOOK_URL": f"{self.addresses.url('gateway')}/webhooks/mercadopago",
                "TWINS_KHIPU_API_KEY": self._secrets["TWINS_KHIPU_API_KEY"],
                "TWINS_KHIPU_SECRET": self._secrets["TWINS_KHIPU_SECRET"],
                "TWINS_PAYU_API_KEY": self._secrets["TWINS_PAYU_API_KEY"],
                "TWINS_PAYU_API_LOGIN": self._secrets["TWINS_PAYU_API_LOGIN"],
                "TWINS_SMTP_PORT": str(self.addresses.mail),
                "TWINS_FCM_PRIVATE_KEY": self._secrets["TWINS_FCM_PRIVATE_KEY"],
                "TWINS_SENDGRID_PRIVATE_KEY": self._secrets["TWINS_SENDGRID_PRIVATE_KEY"],
                "TWINS_SENDGRID_WEBHOOK_URL": (
                    f"{self.addresses.url('gateway')}/api/v1/notifications/callbacks/sendgrid"
                ),
            }
        )

    def of_topology(self) -> dict[str, str]:
        """For `python -m chassis.bus`, the deploy step that declares the queues."""
        return self._finish(self._common())

    def _common(self) -> dict[str, str]:
        values = {
            "ENVIRONMENT": self._name,
            "LOG_LEVEL": "INFO",
            "PUBLIC_URL": self.addresses.url("gateway"),
            "RABBITMQ_URL": self._infrastructure.url(Kind.RABBITMQ),
            "REDIS_URL": self._infrastructure.url(Kind.REDIS),
            "JWKS_URL": f"{self.addresses.url('auth')}/.well-known/jwks.json",
            "JWT_ISSUER": "cobro",
            "JWT_AUDIENCE": "cobro",
            **{name: self._secrets[name] for name in _SHARED_SECRETS},
        }
        values |= {
            f"{name.upper()}_HTTP_URL": self.addresses.url(name) for name in self.addresses.http if name != TWINS
        }
        values |= {f"{name.upper()}_GRPC_TARGET": f"{HOST}:{port}" for name, port in self.addresses.grpc.items()}
        return values

    def _listening(self, service: Service) -> dict[str, str]:
        values = {
            f"{service.prefix}HTTP_HOST": HOST,
            f"{service.prefix}HTTP_PORT": str(self.addresses.http[service.name]),
        }
        if service.name in self.addresses.grpc:
            values[f"{service.prefix}GRPC_PORT"] = str(self.addresses.grpc[service.name])
        if service.has_database:
            admin, password = self._infrastructure.url(Kind.POSTGRES), self._secrets.database_password
            values[f"{service.prefix}DATABASE_URL"] = app_url(admin, DATABASE, service.name, password)
            values[f"{service.prefix}MIGRATION_DATABASE_URL"] = owner_url(admin, DATABASE, service.name, password)
        return values

    def _private(self, service: Service) -> dict[str, str]:
        twins = self.addresses.url(TWINS)
        everything = {
            **{name: self._secrets[name] for name in ("JWT_SECRET", "JWT_REFRESH_SECRET", "PASSWORD_PEPPER")},
            "CONEKTA_API_URL": f"{twins}/conekta",
            "CONEKTA_API_KEY": self._secrets["TWINS_CONEKTA_API_KEY"],
            "CONEKTA_WEBHOOK_PUBLIC_KEY": self._secrets["CONEKTA_WEBHOOK_PUBLIC_KEY"],
            "MERCADOPAGO_API_URL": f"{twins}/mercadopago",
            "MERCADOPAGO_ACCESS_TOKEN": self._secrets["TWINS_MERCADOPAGO_ACCESS_TOKEN"],
            "MERCADOPAGO_WEBHOOK_SECRET": self._secrets["TWINS_MERCADOPAGO_WEBHOOK_SECRET"],
            "MERCADOPAGO_USER_ID": "1403498245",
            "MERCADOPAGO_EXTERNAL_POS_ID": "COBROPOS001",
            "KHIPU_API_URL": f"{twins}/khipu",
            "KHIPU_API_KEY": self._secrets["TWINS_KHIPU_API_KEY"],
            "KHIPU_WEBHOOK_SECRET": self._secrets["TWINS_KHIPU_SECRET"],
            "KHIPU_NOTIFY_URL": f"{self.addresses.url('gateway')}/webhooks/khipu",
            "KHIPU_RECEIVER_ID": "990939",
            "PAYU_API_URL": f"{twins}/payu",
            "PAYU_CHECKOUT_URL": f"{twins}/payu/ppp-web-gateway-payu/",
            "PAYU_API_KEY": self._secrets["TWINS_PAYU_API_KEY"],
            "PAYU_API_LOGIN": self._secrets["TWINS_PAYU_API_LOGIN"],
            "PAYU_MERCHANT_ID": "508029",
            "PAYU_ACCOUNT_ID": "512321",
            "PAYU_NOTIFY_URL": f"{self.addresses.url('gateway')}/webhooks/payu",
            # The twin may be asked as often as anybody likes, and nobody wants to watch it for seven minutes.
            "PAYU_FIRST_READING_SECONDS": "20",
            "PAYU_READING_INTERVAL_SECONDS": "2",
            "TWILIO_API_URL": f"{twins}/twilio",
            "TWILIO_ACCOUNT_SID": self._secrets["TWINS_TWILIO_ACCOUNT_SID"],
            "TWILIO_AUTH_TOKEN": self._secrets["TWINS_TWILIO_AUTH_TOKEN"],
            "TWILIO_FROM": "+15005550006",
            "SENDGRID_API_URL": f"{twins}/sendgrid",
            "SENDGRID_API_KEY": self._secrets["TWINS_SENDGRID_API_KEY"],
            "SENDGRID_FROM": "cobro@example.com",
            "SENDGRID_WEBHOOK_PUBLIC_KEY": self._secrets["SENDGRID_WEBHOOK_PUBLIC_KEY"],
            "VONAGE_API_URL": f"{twins}/vonage",
            "VONAGE_API_KEY": self._secrets["TWINS_VONAGE_API_KEY"],
            "VONAGE_API_SECRET": self._secrets["TWINS_VONAGE_API_SECRET"],
            "VONAGE_FROM": "+15005550007",
            "SMTP_HOST": HOST,
            "SMTP_PORT": str(self.addresses.mail),
            "SMTP_SECURITY": "none",
            "FCM_API_URL": f"{twins}/fcm",
            "FCM_SERVICE_ACCOUNT": service_account(self._secrets["TWINS_FCM_PRIVATE_KEY"]),
            "FCM_TOKEN_URL": f"{twins}/fcm/token",
            **{f"FISCAL_AR_{name}_URL": f"{twins}/arca" for name in ("WSAA", "WSFE", "TEST_WSAA", "TEST_WSFE")},
            **{
                f"FISCAL_CL_{environment}_{name}_URL": f"{twins}/sii"
                for environment in ("TEST", "PRODUCTION")
                for name in ("BOLETA", "BOLETA_UPLOAD", "DTE")
            },
            "FISCAL_CO_URL": f"{twins}/dian",
            "FISCAL_CO_TEST_URL": f"{twins}/dian",
            **{f"FISCAL_MX_{name}_URL": f"{twins}/{name.lower()}" for name in ("SW", "FINKOK", "SAT")},
            **{f"FISCAL_MX_{name}_TEST_URL": f"{twins}/{name.lower()}" for name in ("SW", "FINKOK", "SAT")},
            "OBJECT_STORE_URL": (self._data / "objects").as_uri(),
            "AUTH_OBJECT_STORE_URL": (self._data / "documents").as_uri(),
            # For whoever tries webhooks out on their own machine.
            "WEBHOOKS_ENDPOINT_LOOPBACK": "true",
        }
        for account, belonging in _OUTSIDE_SYSTEMS.items():
            if self._caller.get(account):
                for name in (account, *belonging):
                    everything.pop(name, None)
        return {
            name: value
            for name, value in everything.items()
            if name in service.knows or name.startswith(service.prefix)
        }

    def _finish(self, made: Mapping[str, str], *, knows: Sequence[str] = ()) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name in _SYSTEM_VARIABLES}
        hidden = _SECRET_TO_SOME.difference(knows) | {"POSTGRES_ADMIN_URL"}
        caller = {name: value for name, value in self._caller.items() if name not in hidden}
        # Not the caller's where COBRO_INFRA chose other servers than those it names.
        servers = {name: made[name] for name in ("RABBITMQ_URL", "REDIS_URL") if name in made}
        return {**inherited, **made, **caller, **servers, **self._extra}


def service_account(private_key: str) -> str:
    """The key file of the twins' Google project, in one line. private_key: PEM with its newlines as \\n."""
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "cobro-local",
            "private_key_id": "local",
            "private_key": private_key.replace("\\n", "\n") + "\n",
            "client_email": "notifications@cobro-local.iam.gserviceaccount.com",
            "token_uri": "https://oauth2.googleapis.com/token",
        }
    )


_SECRET_TO_SOME = frozenset(name for service in SERVICES for name in service.knows)
_SHARED_SECRETS = ("SERVICE_AUTH_SECRET", "FIELD_ENCRYPTION_KEYS", "BLIND_INDEX_KEY")
# What a process needs of the machine whatever else it is told.
_SYSTEM_VARIABLES = frozenset(
    {
        "PATH",
        "HOME",
        "LANG",
        "LC_ALL",
        "TZ",
        "TMPDIR",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "LD_LIBRARY_PATH",
        "VIRTUAL_ENV",
    }
)
