"""CMS SignedData (RFC 5652) read and verified by hand: who signed what. Only what WSAA takes: RSA with SHA-256, the
content and the signer's certificate inside."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_SEQUENCE, _SET, _OCTETS = 0x30, 0x31, 0x04
_CONTEXT_0 = 0xA0
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_SHA256 = bytes.fromhex("608648016503040201")
_MESSAGE_DIGEST = bytes.fromhex("2a864886f70d010904")


class CmsError(Exception):
    """The message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class _Node:
    """whole: with tag and length, as it is signed."""

    tag: int
    content: bytes
    whole: bytes

    def children(self) -> list[_Node]:
        found, rest = [], self.content
        while rest:
            node, rest = _read(rest)
            found.append(node)
        return found


def verified(message: bytes) -> tuple[bytes, x509.Certificate]:
    """The content and the certificate of who signed it. Raises CmsError."""
    try:
        return _verified(message)
    except (IndexError, ValueError, StopIteration) as error:
        raise CmsError("no CMS") from error


def _verified(message: bytes) -> tuple[bytes, x509.Certificate]:
    outer, rest = _read(message)
    kind, wrapped = outer.children()
    if rest or outer.tag != _SEQUENCE or kind.content != _SIGNED_DATA:
        raise CmsError("no SignedData")
    parts = wrapped.children()[0].children()
    encapsulated = parts[2].children()
    if len(encapsulated) < 2:
        raise CmsError("the content is not inside")
    content = encapsulated[1].children()[0].content
    certificates = [
        x509.load_der_x509_certificate(node.whole)
        for part in parts[3:]
        if part.tag == _CONTEXT_0
        for node in part.children()
    ]
    signers = parts[-1].children()
    if len(signers) != 1 or parts[-1].tag != _SET:
        raise CmsError("one signer is wanted")
    fields = signers[0].children()
    serial = int.from_bytes(fields[1].children()[1].content, signed=True)
    certificate = next((found for found in certificates if found.serial_number == serial), None)
    if certificate is None:
        raise CmsError("the signer's certificate is not inside")
    if fields[2].children()[0].content != _SHA256:
        raise CmsError("the digest is not SHA-256")
    signed = content
    if fields[3].tag == _CONTEXT_0:
        if _attribute(fields[3], _MESSAGE_DIGEST) != sha256(content).digest():
            raise CmsError("the content was changed")
        # Signed as a SET, though written with a tag of its own.
        signed = bytes([_SET]) + fields[3].whole[1:]
    signature = next(
        field.content for field in fields[4 if fields[3].tag == _CONTEXT_0 else 3 :] if field.tag == _OCTETS
    )
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise CmsError("no RSA key")
    try:
        key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise CmsError("the signature is not the certificate's") from None
    return content, certificate


def _attribute(attributes: _Node, oid: bytes) -> bytes:
    for attribute in attributes.children():
        name, values = attribute.children()
        if name.content == oid:
            return values.children()[0].content
    raise CmsError("an attribute is missing")


def _read(data: bytes) -> tuple[_Node, bytes]:
    tag, length, start = data[0], data[1], 2
    if length & 0x80:
        size = length & 0x7F
        start = 2 + size
        length = int.from_bytes(data[2:start])
    end = start + length
    if end > len(data):
        raise ValueError("truncated")
    return _Node(tag, data[start:end], data[:end]), data[end:]
