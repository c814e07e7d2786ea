"""The test authority: its root and the certificates it gives out, made when first needed, kept in the store."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from twins.store import Store

_KIND = "mx.authority"
_UNIQUE_IDENTIFIER = x509.ObjectIdentifier("2.5.4.45")
_YEARS = timedelta(days=4 * 365)
PASSWORD = "12345678a"  # noqa: S105 - what SAT gives its own test certificates
PAC_RFC = "SPR190613I52"


class Authority:
    """SAT as who certifies, and a PAC's own certificate to stamp with."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._root: tuple[rsa.RSAPrivateKey, x509.Certificate] | None = None
        self._pac: tuple[rsa.RSAPrivateKey, x509.Certificate] | None = None

    def csd(self, rfc: str, name: str, *, days: int | None = None, usage: str = "csd") -> dict[str, str]:
        """certificate, key: DER in base64. days: until it ends, negative for one that has. usage: csd or efirma."""
        key = _new_key()
        until = datetime.now(UTC) + (timedelta(days=days) if days is not None else _YEARS)
        certificate = self._issued(key, f"{rfc} / VADA800927DJ3", name, until, efirma=usage == "efirma")
        encrypted = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(PASSWORD.encode()))
        return {
            "certificate": base64.b64encode(certificate.public_bytes(Encoding.DER)).decode(),
            "key": base64.b64encode(encrypted).decode(),
            "keyPassword": PASSWORD,
            "number": number_of(certificate),
        }

    def certified(self, certificate: x509.Certificate) -> bool:
        """Whether it is one of ours."""
        public = self._ca()[1].public_key()
        assert isinstance(public, rsa.RSAPublicKey)
        try:
            public.verify(certificate.signature, certificate.tbs_certificate_bytes, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True

    def seal(self, chain: bytes) -> tuple[str, str]:
        """SAT's seal over a stamp's chain, and the number of the certificate that made it."""
        key, certificate = self.stamping()
        seal = key.sign(chain, padding.PKCS1v15(), hashes.SHA256())
        return base64.b64encode(seal).decode(), number_of(certificate)

    def stamping(self) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
        if self._pac is None:
            key = _new_key()
            self._pac = key, self._issued(key, PAC_RFC, "PAC DE PRUEBAS", datetime.now(UTC) + _YEARS)
        return self._pac

    @property
    def pac_number(self) -> str:
        return number_of(self.stamping()[1])

    def _ca(self) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
        if self._root is None:
            kept = self._store.get(_KIND, "root")
            if kept is None:
                key = _new_key()
                name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "AC DE PRUEBAS (gemelo)")])
                until = datetime.now(UTC) + timedelta(days=3650)
                certificate = _signed(key, key, name, name, until, _serial())
                kept = {
                    "key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
                    "certificate": certificate.public_bytes(Encoding.PEM).decode(),
                }
                self._store.put(_KIND, "root", kept)
            loaded = load_pem_private_key(kept["key"].encode(), None)
            assert isinstance(loaded, rsa.RSAPrivateKey)
            self._root = loaded, x509.load_pem_x509_certificate(kept["certificate"].encode())
        return self._root

    def _issued(
        self, key: rsa.RSAPrivateKey, identifier: str, name: str, until: datetime, *, efirma: bool = False
    ) -> x509.Certificate:
        ca_key, ca = self._ca()
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, name[:64]),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, name[:64]),
                x509.NameAttribute(_UNIQUE_IDENTIFIER, identifier, _validate=False),
                x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Sucursal 1"),
            ]
        )
        return _signed(key, ca_key, subject, ca.subject, until, _serial(), efirma=efirma)


def number_of(certificate: x509.Certificate) -> str:
    """Twenty digits, which are the ASCII of the serial number's bytes."""
    return f"{certificate.serial_number:x}"[1::2]


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def _serial() -> int:
    digits = f"3000100000{x509.random_serial_number() % 10**10:010d}"
    return int.from_bytes(digits.encode(), "big")


def _signed(
    key: rsa.RSAPrivateKey,
    by: rsa.RSAPrivateKey,
    subject: x509.Name,
    issuer: x509.Name,
    until: datetime,
    serial: int,
    *,
    efirma: bool = False,
) -> x509.Certificate:
    usage: dict[str, Any] = dict.fromkeys(
        ("key_encipherment", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(datetime(2023, 1, 1, tzinfo=UTC) if until > datetime(2023, 1, 2, tzinfo=UTC) else until)
        .not_valid_after(until)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=True,
                data_encipherment=efirma,
                key_agreement=efirma,
                **usage,
            ),
            critical=True,
        )
        .sign(by, hashes.SHA256())
    )
