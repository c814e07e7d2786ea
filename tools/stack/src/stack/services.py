"""The services, in one place: what runs, where, and what each may know."""

import importlib.util
from dataclasses import dataclass

TWINS = "twins"
TWINS_PORT = 8190
# The twins' mail server.
TWINS_MAIL = "twins-mail"
TWINS_MAIL_PORT = 8191
DATABASE = "cobro"

_CONEKTA = ("CONEKTA_API_URL", "CONEKTA_API_KEY", "CONEKTA_WEBHOOK_PUBLIC_KEY")
_MERCADOPAGO = (
    *("MERCADOPAGO_API_URL", "MERCADOPAGO_ACCESS_TOKEN", "MERCADOPAGO_WEBHOOK_SECRET"),
    *("MERCADOPAGO_USER_ID", "MERCADOPAGO_EXTERNAL_POS_ID"),
)
_KHIPU = ("KHIPU_API_URL", "KHIPU_API_KEY", "KHIPU_WEBHOOK_SECRET", "KHIPU_NOTIFY_URL", "KHIPU_RECEIVER_ID")
_PAYU = (
    *("PAYU_API_URL", "PAYU_CHECKOUT_URL", "PAYU_API_KEY", "PAYU_API_LOGIN"),
    *("PAYU_MERCHANT_ID", "PAYU_ACCOUNT_ID", "PAYU_NOTIFY_URL"),
    *("PAYU_FIRST_READING_SECONDS", "PAYU_READING_INTERVAL_SECONDS"),
)
_FISCAL_AR = ("FISCAL_AR_WSAA_URL", "FISCAL_AR_WSFE_URL", "FISCAL_AR_TEST_WSAA_URL", "FISCAL_AR_TEST_WSFE_URL")
_FISCAL_CL = tuple(
    f"FISCAL_CL_{environment}_{name}_URL"
    for environment in ("TEST", "PRODUCTION")
    for name in ("BOLETA", "BOLETA_UPLOAD", "DTE")
)
_FISCAL_CO = ("FISCAL_CO_URL", "FISCAL_CO_TEST_URL")
_FISCAL_MX = (
    *("FISCAL_MX_SW_URL", "FISCAL_MX_FINKOK_URL", "FISCAL_MX_SAT_URL"),
    *("FISCAL_MX_SW_TEST_URL", "FISCAL_MX_FINKOK_TEST_URL", "FISCAL_MX_SAT_TEST_URL"),
)
_FISCAL = (
    *_FISCAL_AR,
    *_FISCAL_CL,
    *_FISCAL_CO,
    *_FISCAL_MX,
)
_PROVIDERS = (*_CONEKTA, *_MERCADOPAGO, *_KHIPU, *_PAYU)


@dataclass(frozen=True, slots=True)
class Service:
    """One service.

    Args:
        http_port: the port it gets when that is free; likewise `grpc_port`, None when it answers no gRPC.
        knows: variables only this service may see, besides those of all services and those with its own prefix.
    """

    name: str
    http_port: int
    grpc_port: int | None = None
    has_database: bool = True
    knows: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        """What its own variables begin with."""
        return f"{self.name.upper()}_"

    def installed(self) -> bool:
        """Whether the package is here and can be run."""
        return importlib.util.find_spec(self.name) is not None and (
            importlib.util.find_spec(f"{self.name}.__main__") is not None
        )


SERVICES = (
    Service("auth", 8101, 9101, knows=("JWT_SECRET", "JWT_REFRESH_SECRET", "PASSWORD_PEPPER", "AUTH_OBJECT_STORE_URL")),
    Service("catalog", 8102, 9102),
    Service("sales", 8103, 9103),
    Service("payments", 8104, 9104, knows=_PROVIDERS),
    Service("webhooks", 8105, 9105, knows=_PROVIDERS),
    Service("billing", 8106, 9106, knows=("OBJECT_STORE_URL", *_FISCAL)),
    Service(
        "notifications",
        8107,
        9107,
        knows=(
            *("TWILIO_API_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM"),
            *("SENDGRID_API_URL", "SENDGRID_API_KEY", "SENDGRID_FROM", "SENDGRID_WEBHOOK_PUBLIC_KEY"),
            *("VONAGE_API_URL", "VONAGE_API_KEY", "VONAGE_API_SECRET", "VONAGE_FROM"),
            *("SMTP_HOST", "SMTP_PORT", "SMTP_SECURITY", "SMTP_USERNAME", "SMTP_PASSWORD"),
            *("FCM_API_URL", "FCM_TOKEN_URL", "FCM_SERVICE_ACCOUNT"),
        ),
    ),
    Service("analytics", 8108, 9108),
    Service("gateway", 8080, has_database=False),
)

WITH_DATABASE = tuple(service.name for service in SERVICES if service.has_database)


def find(name: str) -> Service:
    """A service by its name; KeyError when there is none."""
    for service in SERVICES:
        if service.name == name:
            return service
    raise KeyError(name)
