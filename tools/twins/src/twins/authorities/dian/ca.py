"""A certification authority for tests: made at its first use, kept with what the twins remember, trusted by nobody."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from twins.store import Store

_KIND: Final = "dian.authority"
_KEY_BITS: Final = 2048


class TestAuthority:
    """Its kind of the store is not among those that a reset forgets: certificates outlive it."""

    # Not a test, whatever its name.
    __test__ = False

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pair: tuple[x509.Certificate, rsa.RSAPrivateKey] | None = None

    @property
    def pair(self) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
        if self._pair is None:
            kept = self._store.get(_KIND, "root")
            if kept is None:
                kept = self._made()
                self._store.put(_KIND, "root", kept)
            key = load_pem_private_key(str(kept["key"]).encode(), None)
            assert isinstance(key, rsa.RSAPrivateKey)
            self._pair = x509.load_pem_x509_certificate(str(kept["certificate"]).encode()), key
        return self._pair

    def issued(self, nit: str, name: str, password: str, days: int = 365) -> bytes:
        """A PKCS#12 file of a certificate that names this NIT. days: until its end; negative for an expired one."""
        root, root_key = self.pair
        key = rsa.generate_private_key(65537, _KEY_BITS)
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "CO"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, name[:64]),
                x509.NameAttribute(NameOID.SERIAL_NUMBER, nit),
                x509.NameAttribute(NameOID.COMMON_NAME, name[:64]),
            ]
        )
        end = datetime.now(UTC) + timedelta(days=days)
        certificate = (
            _builder(subject, root.subject, key, min(datetime.now(UTC), end) - timedelta(days=400), end)
            .add_extension(_usage(), critical=True)
            .sign(root_key, hashes.SHA256())
        )
        return pkcs12.serialize_key_and_certificates(b"fe", key, certificate, None, _sealed(password))

    def trusts(self, certificate: x509.Certificate, at: datetime) -> bool:
        root, _ = self.pair
        if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
            return False
        public, algorithm = root.public_key(), certificate.signature_hash_algorithm
        if not isinstance(public, rsa.RSAPublicKey) or algorithm is None:
            return False
        try:
            public.verify(certificate.signature, certificate.tbs_certificate_bytes, padding.PKCS1v15(), algorithm)
        except InvalidSignature:
            return False
        return True

    def _made(self) -> dict[str, str]:
        key = rsa.generate_private_key(65537, _KEY_BITS)
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "CO"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Autoridad de pruebas"),
                x509.NameAttribute(NameOID.COMMON_NAME, "AC de pruebas, sin validez"),
            ]
        )
        now = datetime.now(UTC)
        certificate = _builder(name, name, key, now - timedelta(days=800), now + timedelta(days=3650)).sign(
            key, hashes.SHA256()
        )
        return {
            "certificate": certificate.public_bytes(Encoding.PEM).decode(),
            "key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        }


def _sealed(password: str) -> KeySerializationEncryption:
    """With as many rounds as `openssl pkcs12` makes unasked, which is how authorities' files come."""
    builder = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(2048)
    builder = builder.key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC).hmac_hash(hashes.SHA256())
    return builder.build(password.encode())


def encoded(content: bytes) -> str:
    return b64encode(content).decode()


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPrivateKey, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )


def _usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
