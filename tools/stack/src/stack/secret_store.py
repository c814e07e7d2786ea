"""Secrets of a local suite: made once, kept in one file that only its owner can read."""

import base64
import hmac
import os
import secrets
import uuid
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from stack.errors import StackError
from stack.infra.credentials import Credentials

_CONEKTA_PRIVATE = "TWINS_CONEKTA_PRIVATE_KEY"
_CONEKTA_PUBLIC = "CONEKTA_WEBHOOK_PUBLIC_KEY"
_SENDGRID_PRIVATE = "TWINS_SENDGRID_PRIVATE_KEY"
_SENDGRID_PUBLIC = "SENDGRID_WEBHOOK_PUBLIC_KEY"
_DATABASE_KEY = "DATABASE_PASSWORD_KEY"


class SecretStore(Mapping[str, str]):
    """The secrets by the name of their variable. What is missing is made when the store is opened.

    Args:
        file: where they are kept (mode 0600); None for a suite that is thrown away.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._values = _read(file) if file is not None and file.exists() else {}
        missing = _missing(self._values)
        if missing:
            self._values |= missing
            if file is not None:
                _write(file, self._values)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"SecretStore({', '.join(self._values)})"

    def database_password(self, role: str) -> str:
        """The password of a database role: derived, so that a new role needs no new secret."""
        return hmac.new(self[_DATABASE_KEY].encode(), role.encode(), sha256).hexdigest()[:40]

    def administrators(self) -> Credentials:
        """Those of the servers we start."""
        return Credentials(
            postgres=self["POSTGRES_ADMIN_PASSWORD"], rabbitmq=self["RABBITMQ_PASSWORD"], redis=self["REDIS_PASSWORD"]
        )


def _missing(present: Mapping[str, str]) -> dict[str, str]:
    made = {name: make() for name, make in _GENERATORS.items() if not present.get(name)}
    if not (present.get(_CONEKTA_PRIVATE) and present.get(_CONEKTA_PUBLIC)):
        made |= _conekta_pair()
    if not (present.get(_SENDGRID_PRIVATE) and present.get(_SENDGRID_PUBLIC)):
        made |= _sendgrid_pair()
    return made


def _key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _password() -> str:
    return secrets.token_hex(16)


_GENERATORS: dict[str, Callable[[], str]] = {
    "JWT_SECRET": _key,
    "JWT_REFRESH_SECRET": _key,
    "PASSWORD_PEPPER": _key,
    "SERVICE_AUTH_SECRET": _key,
    "FIELD_ENCRYPTION_KEYS": lambda: f"k{uuid.uuid4().hex[:8]}:{_key()}",
    "BLIND_INDEX_KEY": _key,
    _DATABASE_KEY: _key,
    "POSTGRES_ADMIN_PASSWORD": _password,
    "RABBITMQ_PASSWORD": _password,
    "REDIS_PASSWORD": _password,
    "TWINS_CONEKTA_API_KEY": lambda: f"key_{secrets.token_hex(16)}",
    "TWINS_MERCADOPAGO_ACCESS_TOKEN": lambda: f"TEST-{secrets.token_hex(16)}",
    "TWINS_MERCADOPAGO_WEBHOOK_SECRET": lambda: secrets.token_hex(32),
    "TWINS_KHIPU_API_KEY": _password,
    "TWINS_KHIPU_SECRET": lambda: secrets.token_hex(20),
    "TWINS_PAYU_API_KEY": lambda: secrets.token_hex(13),
    "TWINS_PAYU_API_LOGIN": lambda: secrets.token_hex(8),
    "TWINS_TWILIO_ACCOUNT_SID": lambda: f"AC{secrets.token_hex(16)}",
    "TWINS_TWILIO_AUTH_TOKEN": _password,
    "TWINS_SENDGRID_API_KEY": lambda: f"SG.{secrets.token_hex(11)}.{secrets.token_hex(20)}",
    "TWINS_VONAGE_API_KEY": lambda: secrets.token_hex(4),
    "TWINS_VONAGE_API_SECRET": _password,
    "TWINS_FCM_PRIVATE_KEY": lambda: _private_pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
    "DEMO_PASSWORD": lambda: f"Demo-{secrets.token_hex(5)}",
}


def _conekta_pair() -> dict[str, str]:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return {
        _CONEKTA_PRIVATE: _private_pem(private),
        _CONEKTA_PUBLIC: _one_line(
            private.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        ),
    }


def _sendgrid_pair() -> dict[str, str]:
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return {_SENDGRID_PRIVATE: _private_pem(private), _SENDGRID_PUBLIC: base64.b64encode(public).decode()}


def _private_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return _one_line(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def _one_line(pem: bytes) -> str:
    return pem.decode().strip().replace("\n", "\\n")


def _read(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise StackError(f"{file} cannot be read: {error.strerror}.") from error
    pairs = (line.partition("=") for line in lines if line.strip() and not line.startswith("#"))
    return {name.strip(): value for name, _, value in pairs}


def _write(file: Path, values: Mapping[str, str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    # Left by a run that was killed: in a container, every run has the same number.
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as output:
        output.write("# Secrets of this local suite. Losing them makes its data unreadable.\n")
        output.writelines(f"{name}={value}\n" for name, value in sorted(values.items()))
        output.flush()
        os.fsync(output.fileno())
    fresh.replace(file)
