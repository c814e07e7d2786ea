"""CAF: the file in which SII gives out folios of one type, with the key that seals them. Pure, without heavy libraries.

<AUTORIZACION><CAF version="1.0"><DA><RE/><RS/><TD/><RNG><D/><H/></RNG><FA/><RSAPK><M/><E/></RSAPK><IDK/></DA>
<FRMA/></CAF><RSASK>PEM</RSASK><RSAPUBK>PEM</RSAPUBK></AUTORIZACION>

Keys are of 512 bits: they are SII's, prove nothing but that a folio was ours to use, and no certificate hangs on them.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from datetime import date
from xml.etree.ElementTree import Element

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fiscal.cl import rut
from fiscal.cl.markup import Unreadable, read

_SAVED_BY_EDITORS = re.compile(r">\s+<")
_DECLARATION = re.compile(r"^<\?xml[^>]*\?>")
_CAF = re.compile(r"<CAF[\s>].*?</CAF>", re.DOTALL)


class BadCaf(ValueError):
    """Says in English what is wrong, and quotes nothing."""


@dataclass(frozen=True, slots=True)
class Caf:
    """issuer: a dashed RUT. key_id: IDK, SII's own key. element: <CAF> as SII signed it, without space between tags."""

    issuer: str
    document_type: str
    first: int
    last: int
    authorized_on: date
    key_id: str
    element: str
    key_pem: bytes = field(repr=False)

    def key(self) -> rsa.RSAPrivateKey:
        key = load_pem_private_key(self.key_pem, None)
        assert isinstance(key, rsa.RSAPrivateKey)
        return key


def parse(content: bytes) -> Caf:
    """Raises BadCaf."""
    text = _decoded(content)
    try:
        root = read(text.encode())
    except Unreadable:
        raise BadCaf("is no XML") from None
    found = _CAF.search(text)
    if root.tag != "AUTORIZACION" or found is None:
        raise BadCaf("is no CAF")
    data = root.find("CAF/DA")
    if data is None:
        raise BadCaf("is no CAF")
    issuer = rut.parse(_text(data, "RE"))
    if issuer is None:
        raise BadCaf("names no RUT")
    try:
        first, last = int(_text(data, "RNG/D")), int(_text(data, "RNG/H"))
        authorized_on = date.fromisoformat(_text(data, "FA"))
    except ValueError:
        raise BadCaf("has no readable range or date") from None
    if not 0 < first <= last < 10**10:
        raise BadCaf("is no range of folios")
    caf = Caf(
        issuer=issuer,
        document_type=_text(data, "TD"),
        first=first,
        last=last,
        authorized_on=authorized_on,
        key_id=_text(data, "IDK"),
        element=_SAVED_BY_EDITORS.sub("><", found.group()),
        key_pem=_text(root, "RSASK").encode(),
    )
    _check_key(caf, data)
    return caf


def _decoded(content: bytes) -> str:
    """SII's files are in ISO-8859-1 and do not all say so; an editor may have made UTF-8 of one."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return _DECLARATION.sub("", text.lstrip())


def _check_key(caf: Caf, data: Element) -> None:
    try:
        key = load_pem_private_key(caf.key_pem, None)
        modulus, exponent = (
            int.from_bytes(base64.b64decode(_text(data, f"RSAPK/{name}"), validate=True)) for name in ("M", "E")
        )
    except (ValueError, TypeError, UnsupportedAlgorithm, binascii.Error):
        raise BadCaf("has no readable key") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise BadCaf("has no RSA key")
    numbers = key.public_key().public_numbers()
    if (numbers.n, numbers.e) != (modulus, exponent):
        raise BadCaf("has the key of another CAF")


def _text(parent: Element, path: str) -> str:
    return (parent.findtext(path) or "").strip()
