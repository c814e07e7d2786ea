"""What SII and a certification company give out: certificates of persons, and folios with their keys.

The keys are made at the first start and kept with the twins' data, so that certificates stay good; none is in git.
"""

from __future__ import annotations

import base64
import secrets
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from xml.sax.saxutils import escape

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from twins.store import Store

KIND = "sii.key"
_RUT = x509.ObjectIdentifier("1.3.6.1.4.1.8321.1")
_KEY_ID = "100"


class Keys:
    def __init__(self, store: Store) -> None:
        self._store = store
        self.folios = self._key("folios", 1024)
        self._authority = self._key("authority", 2048)
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Certificadora de Prueba")])

    def certificate(self, rut: str, name: str, days: int) -> tuple[bytes, str]:
        """PKCS#12 and its password. days: for which it is still good; negative for one that has expired."""
        now, key = datetime.now(UTC), _person_key()
        # IA5String: its tag, its length, and the text.
        held = b"\x16" + bytes([len(rut)]) + rut.encode()
        certificate = (
            x509.CertificateBuilder()
            .subject_name(
                x509.Name(
                    [
                        x509.NameAttribute(NameOID.COUNTRY_NAME, "CL"),
                        x509.NameAttribute(NameOID.COMMON_NAME, name),
                        x509.NameAttribute(NameOID.SERIAL_NUMBER, rut),
                    ]
                )
            )
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1461))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([x509.OtherName(_RUT, held)]), critical=False)
            .sign(self._authority, SHA256())
        )
        password = secrets.token_hex(8)
        file = pkcs12.serialize_key_and_certificates(
            b"firma", key, certificate, None, BestAvailableEncryption(password.encode())
        )
        return file, password

    def issued(self, certificate: x509.Certificate) -> bool:
        """Whether it is one of ours, and good now."""
        now = datetime.now(UTC)
        try:
            self._authority.public_key().verify(
                certificate.signature, certificate.tbs_certificate_bytes, PKCS1v15(), SHA256()
            )
        except Exception:  # noqa: BLE001 - whatever it is, it is not ours
            return False
        return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc

    def caf(self, rut: str, name: str, document_type: int, first: int, last: int, day: date) -> bytes:
        """With a key of 512 bits, as SII's have."""
        key = _folio_key()
        numbers = key.public_key().public_numbers()
        data = (
            f"<DA><RE>{rut}</RE><RS>{escape(name)}</RS><TD>{document_type}</TD><RNG><D>{first}</D><H>{last}</H></RNG>"
            f"<FA>{day.isoformat()}</FA><RSAPK><M>{_number(numbers.n)}</M><E>{_number(numbers.e)}</E></RSAPK>"
            f"<IDK>{_KEY_ID}</IDK></DA>"
        )
        mark = base64.b64encode(self.folios.sign(data.encode("latin-1"), PKCS1v15(), SHA1())).decode()  # noqa: S303
        private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        # With line breaks between the parts, as the files come.
        spread = data.replace("><", ">\n<")
        return (
            f'<?xml version="1.0"?>\n<AUTORIZACION>\n<CAF version="1.0">\n{spread}\n'
            f'<FRMA algoritmo="SHA1withRSA">{mark}</FRMA>\n</CAF>\n<RSASK>{private}</RSASK>\n\n'
            f"<RSAPUBK>{public}</RSAPUBK>\n</AUTORIZACION>\n"
        ).encode("latin-1")

    def _key(self, name: str, size: int) -> rsa.RSAPrivateKey:
        kept = self._store.get(KIND, name)
        if kept is None:
            made = rsa.generate_private_key(65537, size)
            pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
            kept = {"pem": pem}
            self._store.put(KIND, name, kept)
        key = load_pem_private_key(kept["pem"].encode(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        return key


@lru_cache(maxsize=1)
def _person_key() -> rsa.RSAPrivateKey:
    """One for everybody: making it costs more than all else, and nothing here is secret."""
    return rsa.generate_private_key(65537, 2048)


def _folio_key() -> rsa.RSAPrivateKey:
    """No library makes one so small any more."""
    exponent = 3
    p, q = _prime(), _prime()
    while p == q:
        q = _prime()
    private = pow(exponent, -1, (p - 1) * (q - 1))
    return rsa.RSAPrivateNumbers(
        p,
        q,
        private,
        rsa.rsa_crt_dmp1(private, p),
        rsa.rsa_crt_dmq1(private, q),
        rsa.rsa_crt_iqmp(p, q),
        rsa.RSAPublicNumbers(exponent, p * q),
    ).private_key()


def _prime(bits: int = 256) -> int:
    """With its two highest bits set, so that two of them make a number of twice the length; one less is no multiple of
    three, which is the exponent."""
    while True:
        found = secrets.randbits(bits) | 3 << (bits - 2) | 1
        if found % 3 == 2 and all(pow(base, found - 1, found) == 1 for base in (2, 5, 7, 11, 13)):
            return found


def _number(value: int) -> str:
    return base64.b64encode(value.to_bytes((value.bit_length() + 7) // 8)).decode()
