"""XAdES-EPES as the DIAN wants it (annex 1.9, section 9): enveloped, C14N 1.0, RSA-SHA256. Pure; runs in the workshop.

signxml's own XAdES differs in four things, which are overridden: the certificate is named by SigningCertificate
(version 1, with issuer and serial number), the signing time is the document's and local, no data object format is told,
and every id comes from the document, so that the same document has the same signature.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.xades.xades import XAdESSignaturePolicy, XAdESSigner

from fiscal.certificates import check_current, read_pkcs12
from fiscal.co.order import Policy, Signer

Element = etree._Element

_DS: Final = "http://www.w3.org/2000/09/xmldsig#"
_XADES: Final = "http://uri.etsi.org/01903/v1.3.2#"
_ROLE: Final = "supplier"
_DESCRIPTION: Final = "Política de firma para facturas electrónicas de la República de Colombia."


@lru_cache(maxsize=16)
def opened(signer: Signer) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    """Raises BadProfile. Opening and proving a key takes thirty times as long as signing with it, so the workshop's
    process remembers a few for the minute that it outlives its last job."""
    return read_pkcs12(signer.pkcs12, signer.password, "credentials.certificate")


def sign(root: Element, place: Element, signer: Signer, policy: Policy, at: datetime, document_id: UUID) -> Element:
    """The signed document; `place` is where in `root` the signature goes. Raises BadProfile, also for a certificate
    that is not valid at that time."""
    certificate, key = opened(signer)
    check_current(certificate, at.date(), "credentials.certificate")
    etree.SubElement(place, f"{{{_DS}}}Signature", {"Id": "placeholder"})
    return _DianSigner(policy, at, document_id).sign(
        root, key=key, cert=[certificate], always_add_key_value=False, exclude_c14n_transform_element=True
    )


class _DianSigner(XAdESSigner):
    def __init__(self, policy: Policy, at: datetime, document_id: UUID) -> None:
        super().__init__(
            signature_policy=XAdESSignaturePolicy(policy.url, _DESCRIPTION, DigestAlgorithm.SHA256, policy.sha256),
            claimed_roles=[_ROLE],
            signature_algorithm=SignatureMethod.RSA_SHA256,
            digest_algorithm=DigestAlgorithm.SHA256,
            c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_0,
        )
        self._at = at
        self._name = f"xmldsig-{document_id}"
        self.signed_data_object_properties_annotators = []

    def _get_token(self, length: int = 4) -> str:
        return ""

    def _build_xades_ds_object(self, sig_root: Element, signing_settings: Any) -> None:
        sig_root.set("Id", self._name)
        key_info = sig_root.find(f"{{{_DS}}}KeyInfo")
        assert key_info is not None
        key_info.set("Id", f"{self._name}-keyinfo")
        super()._build_xades_ds_object(sig_root, signing_settings)

    def add_signing_time(self, properties: Element, sig_root: Element, signing_settings: Any) -> None:
        etree.SubElement(properties, f"{{{_XADES}}}SigningTime").text = self._at.isoformat(timespec="seconds")

    def add_signing_certificate(self, properties: Element, sig_root: Element, signing_settings: Any) -> None:
        (certificate,) = signing_settings.cert_chain
        cert = etree.SubElement(etree.SubElement(properties, f"{{{_XADES}}}SigningCertificate"), f"{{{_XADES}}}Cert")
        digest = etree.SubElement(cert, f"{{{_XADES}}}CertDigest")
        etree.SubElement(digest, f"{{{_DS}}}DigestMethod", Algorithm=DigestAlgorithm.SHA256.value)
        value = sha256(certificate.public_bytes(Encoding.DER)).digest()
        etree.SubElement(digest, f"{{{_DS}}}DigestValue").text = b64encode(value).decode()
        serial = etree.SubElement(cert, f"{{{_XADES}}}IssuerSerial")
        etree.SubElement(serial, f"{{{_DS}}}X509IssuerName").text = certificate.issuer.rfc4514_string()
        etree.SubElement(serial, f"{{{_DS}}}X509SerialNumber").text = str(certificate.serial_number)
