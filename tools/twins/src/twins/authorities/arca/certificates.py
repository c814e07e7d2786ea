"""The test authority: made at the start, it gives out certificates as ARCA does, on demand of a test or a demo."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from twins.store import Store

KIND = "arca.authority"
_SUBJECT = x509.Name(
    [
        x509.NameAttribute(NameOID.COMMON_NAME, "Computadores Test"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "AFIP"),
        x509.NameAttribute(NameOID.COUNTRY_NAME, "AR"),
        x509.NameAttribute(NameOID.SERIAL_NUMBER, "CUIT 33693450239"),
    ]
)


class CertificateAuthority:
    """Its key is made with the first certificate, and stays for as long as what the twin remembers."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def issue(self, cuit: str, alias: str, not_before: datetime, not_after: datetime) -> tuple[str, str]:
        """A certificate and its key in PEM."""
        key = rsa.generate_private_key(65537, 2048)
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.SERIAL_NUMBER, f"CUIT {cuit}"),
                x509.NameAttribute(NameOID.COMMON_NAME, alias),
            ]
        )
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(_SUBJECT)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(not_before)
            .not_valid_after(not_after)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(self._key(), hashes.SHA256())
        )
        return certificate.public_bytes(Encoding.PEM).decode(), _pem(key)

    def gave(self, certificate: x509.Certificate) -> bool:
        algorithm = certificate.signature_hash_algorithm
        if algorithm is None:
            return False
        try:
            self._key().public_key().verify(
                certificate.signature, certificate.tbs_certificate_bytes, padding.PKCS1v15(), algorithm
            )
        except InvalidSignature:
            return False
        return True

    def _key(self) -> rsa.RSAPrivateKey:
        stored = self._store.get(KIND, "key")
        if stored is None:
            key = rsa.generate_private_key(65537, 2048)
            self._store.put(KIND, "key", {"pem": _pem(key)})
            return key
        loaded = load_pem_private_key(str(stored["pem"]).encode(), None)
        assert isinstance(loaded, rsa.RSAPrivateKey)
        return loaded


def span(days: int) -> tuple[datetime, datetime]:
    """From long ago, so that tests whose clock stands in the past can use it."""
    return datetime(2020, 1, 1, tzinfo=UTC), datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)


def cuit_of(certificate: x509.Certificate) -> str:
    (value,) = certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    return str(value.value).removeprefix("CUIT ")


def _pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
