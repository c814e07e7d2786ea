"""Certificates and keys as businesses have them: read, matched and described. Pure; a millisecond each.

Every function raises BadProfile naming the field, and never quotes what it was given.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
    pkcs12,
)

from fiscal.errors import BadProfile
from fiscal.profile import CertificateInfo

_PEM = b"-----BEGIN"


def read_certificate(content: bytes, field: str) -> x509.Certificate:
    """PEM or DER."""
    try:
        load = x509.load_pem_x509_certificate if _PEM in content[:4096] else x509.load_der_x509_certificate
        return load(content)
    except (ValueError, UnsupportedAlgorithm):
        raise BadProfile.field(field, "is no X.509 certificate in PEM or DER") from None


def read_key(content: bytes, password: bytes | None, field: str) -> rsa.RSAPrivateKey:
    """PKCS#1 or PKCS#8, PEM or DER. password: None where the key has none."""
    load = load_pem_private_key if _PEM in content[:4096] else load_der_private_key
    try:
        key = load(content, password or None)
    except TypeError:
        problem = "needs its password" if not password else "has no password"
        raise BadProfile.field(field, problem) from None
    except (ValueError, UnsupportedAlgorithm):
        raise BadProfile.field(field, "is no private key in PEM or DER, or its password is another") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise BadProfile.field(field, "must be an RSA key")
    return key


def read_pkcs12(content: bytes, password: bytes | None, field: str) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    """A .p12 or .pfx with one certificate and its key."""
    try:
        key, certificate, _ = pkcs12.load_key_and_certificates(content, password or None)
    except (ValueError, UnsupportedAlgorithm):
        raise BadProfile.field(field, "is no PKCS#12 file, or its password is another") from None
    if certificate is None or not isinstance(key, rsa.RSAPrivateKey):
        raise BadProfile.field(field, "must hold a certificate and its RSA key")
    return certificate, key


def check_pair(certificate: x509.Certificate, key: rsa.RSAPrivateKey, field: str) -> None:
    def encoded(public: object) -> bytes:
        if not isinstance(public, rsa.RSAPublicKey):
            return b""
        return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    if encoded(certificate.public_key()) != encoded(key.public_key()):
        raise BadProfile.field(field, "is not the certificate of this private key")


def check_current(certificate: x509.Certificate, today: date, field: str) -> None:
    """Valid at some time of that day, wherever on earth it is."""
    noon = datetime.combine(today, time(12), UTC)
    if certificate.not_valid_after_utc < noon - timedelta(hours=12):
        raise BadProfile.field(field, f"expired on {certificate.not_valid_after_utc.date().isoformat()}")
    if certificate.not_valid_before_utc > noon + timedelta(hours=26):
        raise BadProfile.field(field, f"is not valid before {certificate.not_valid_before_utc.date().isoformat()}")


def describe(certificate: x509.Certificate, name: str) -> CertificateInfo:
    return CertificateInfo(
        name=name,
        subject=certificate.subject.rfc4514_string(),
        serial_number=f"{certificate.serial_number:x}",
        fingerprint=sha256(certificate.public_bytes(Encoding.DER)).hexdigest(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )
