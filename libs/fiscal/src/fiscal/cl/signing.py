"""Seals and signatures: TED with the CAF's key, XMLDSig with the business's certificate. Pure; runs in the workshop.

SII wants RSA-SHA1 everywhere, inclusive C14N, and one transform. A document is put together as text and only looked at
by lxml: what is sent is, to the byte, what was sealed. It declares xmlns:xsi although it has no use for it, since the
envelope around it does, and inclusive C14N sees that: so its digest is the same alone and inside.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA1
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, SignatureConstructionMethod
from signxml.signer import XMLSigner
from signxml.util import namespaces

from fiscal.certificates import read_pkcs12
from fiscal.cl import caf as cafs
from fiscal.cl import document, kinds, rut
from fiscal.cl.emitter import Emitter
from fiscal.cl.text import plain
from fiscal.document import FiscalDocument
from fiscal.errors import BadProfile

_SPACES: Final = 'xmlns="http://www.sii.cl/SiiDte" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_DECLARATION: Final = '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
_SET: Final = "SetDoc"


class _Signer(XMLSigner):
    """SHA-1, which nobody else may use: SII takes nothing else."""

    def __init__(self) -> None:
        super().__init__(
            method=SignatureConstructionMethod.enveloped,
            signature_algorithm="rsa-sha1",
            digest_algorithm="sha1",
            c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_0,
        )
        self.namespaces = {None: namespaces.ds}  # type: ignore[dict-item]

    def check_deprecated_methods(self) -> None:
        pass


def signed_document(
    emitter: Emitter, content: FiscalDocument, document_type: str, folio: int, caf_file: bytes
) -> bytes:
    """The whole DTE, alone in its file. Raises Rejected, BadProfile."""
    caf, key = _caf(caf_file)
    draft = document.draft(emitter, content, document_type, folio)
    data = f"<DD>{draft.data}{caf.element}<TSTED>{draft.moment}</TSTED></DD>"
    seal = base64.b64encode(key.sign(data.encode("latin-1"), PKCS1v15(), SHA1())).decode()  # noqa: S303
    ted = f'<TED version="1.0">{data}<FRMT algoritmo="SHA1withRSA">{seal}</FRMT></TED>'
    opened = f'<DTE {_SPACES} version="1.0">{draft.before}{ted}{draft.after}'
    return (_DECLARATION + _signed(emitter, opened, "</DTE>", f"#{draft.id}")).encode("latin-1")


def envelope(emitter: Emitter, payloads: tuple[bytes, ...], moment: str) -> bytes:
    """EnvioBOLETA or EnvioDTE around documents of one kind. moment: of the signature, local, YYYY-MM-DDThh:mm:ss."""
    counts: dict[str, int] = {}
    documents = []
    for payload in payloads:
        kind = document.sealed_in(payload).document_type
        counts[kind] = counts.get(kind, 0) + 1
        documents.append(payload.decode("latin-1").removeprefix(_DECLARATION))
    boletas = counts.keys() <= kinds.BOLETAS
    name, schema = ("EnvioBOLETA", "EnvioBOLETA_v11.xsd") if boletas else ("EnvioDTE", "EnvioDTE_v10.xsd")
    subtotals = "".join(
        f"<SubTotDTE><TpoDTE>{kind}</TpoDTE><NroDTE>{count}</NroDTE></SubTotDTE>"
        for kind, count in sorted(counts.items())
    )
    front = (
        '<Caratula version="1.0">'
        f"<RutEmisor>{emitter.tax_id}</RutEmisor><RutEnvia>{emitter.sender}</RutEnvia>"
        f"<RutReceptor>{rut.SII}</RutReceptor><FchResol>{emitter.resolution_date}</FchResol>"
        f"<NroResol>{emitter.resolution_number}</NroResol><TmstFirmaEnv>{moment}</TmstFirmaEnv>{subtotals}</Caratula>"
    )
    # SII turns away what names no schema, though the schema itself does not ask for it.
    opened = (
        f'<{name} {_SPACES} xsi:schemaLocation="http://www.sii.cl/SiiDte {schema}" version="1.0">'
        f'<SetDTE ID="{_SET}">{front}{"".join(documents)}</SetDTE>'
    )
    return (_DECLARATION + _signed(emitter, opened, f"</{name}>", f"#{_SET}")).encode("latin-1")


def signed_seed(emitter: Emitter, seed: str) -> bytes:
    """What a token is given for."""
    opened = f"<getToken><item><Semilla>{plain(seed, 40)}</Semilla></item>"
    return (_DECLARATION + _signed(emitter, opened, "</getToken>", "")).encode("latin-1")


def _signed(emitter: Emitter, opened: str, end: str, reference: str) -> str:
    certificate, key = _pair(emitter.pkcs12, emitter.password)
    root = etree.fromstring((_DECLARATION + opened + end).encode("latin-1"))
    signed = _Signer().sign(
        root,
        key=key,
        cert=[certificate],
        reference_uri=reference or None,
        id_attribute="ID",
        always_add_key_value=True,
        exclude_c14n_transform_element=True,
    )
    # Made without a prefix, it is the last of its parent, and is in its namespace only once it is written.
    written = etree.tostring(signed[-1], encoding="unicode", with_tail=False)
    return f"{opened}{written}{end}"


@lru_cache(maxsize=16)
def _caf(file: bytes) -> tuple[cafs.Caf, RSAPrivateKey]:
    try:
        caf = cafs.parse(file)
    except cafs.BadCaf as error:
        raise BadProfile.field("numbering", str(error)) from None
    return caf, caf.key()


@lru_cache(maxsize=4)
def _pair(pkcs12: bytes, password: bytes) -> tuple[x509.Certificate, RSAPrivateKey]:
    """Opening one costs fifty times what signing does: for the next documents of the same shop, in the workshop alone,
    which forgets with its end."""
    return read_pkcs12(pkcs12, password, "credentials.certificate")
