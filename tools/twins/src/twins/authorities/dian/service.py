"""The DIAN's service, operation by operation: messages in, answers out, in its SOAP."""

from __future__ import annotations

import io
import re
import zipfile
from base64 import b64decode
from binascii import Error as BadBase64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha384
from typing import Any, Final
from uuid import uuid4
from xml.sax.saxutils import escape

import xmlsec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fastapi.responses import Response
from lxml import etree
from xmlsec import constants

from twins.authorities.base import Ledger, Work
from twins.authorities.dian.ca import TestAuthority, encoded
from twins.authorities.dian.rules import Examiner
from twins.authorities.dian.xml import NS, Element, Unreadable, certificate, first, parsed, text, verifies
from twins.store import Store

Json = dict[str, Any]

TAXPAYER: Final = "dian.taxpayer"
BATCH: Final = "dian.batch"
NUMBER: Final = "dian.number"
_ACTION: Final = "http://wcf.dian.colombia/IWcfDianCustomerServices/"
_NAME: Final = re.compile(r"[a-z]{1,4}[0-9]{10}[0-9]{3}[0-9]{2}[0-9a-fA-F]{8}\.xml")
_ZIP: Final = re.compile(r"z[0-9]{10}[0-9]{3}[0-9]{2}[0-9a-fA-F]{8}\.zip")
_COLOMBIA: Final = timezone(timedelta(hours=-5))
_MOST: Final = 1_048_576
_PROCESSED: Final = "Regla: 90, Rechazo: Documento procesado anteriormente."
_REFUSED: Final = "Regla: ZZ99, Rechazo: Rechazado por orden de quien prueba"


class Fault(Exception):
    """code: of the SOAP fault."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Dian:
    """ledger: validated documents by CUFE or CUDE. A taxpayer is known by NIT; a batch by its ZipKey."""

    def __init__(self, store: Store, ledger: Ledger, authority: TestAuthority) -> None:
        self._store = store
        self._ledger = ledger
        self._authority = authority
        self._examiner = Examiner(authority)
        self.operations: Mapping[str, Work] = {
            name: self._answering(name, work)
            for name, work in (
                ("SendBillSync", self._send_now),
                ("SendBillAsync", self._send_later),
                ("SendTestSetAsync", self._send_test),
                ("GetStatus", self._status),
                ("GetStatusZip", self._batch),
                ("GetNumberingRange", self._ranges),
            )
        }

    def decide(self, key: str, accept: bool) -> Json | None:
        """Of a batch by its ZipKey, or by the key of the document in it."""
        batch = self._store.get(BATCH, key) or next(iter(self._store.find(BATCH, key)), None)
        if batch is None:
            return self._ledger.get(key)
        if not accept:
            batch["rules"] = [_REFUSED]
        batch["decided"] = True
        self._settle(batch)
        return batch

    def _answering(self, operation: str, work: Callable[[Element, bool], str]) -> Work:
        def answer(body: bytes, reject: bool) -> Response:
            try:
                root = parsed(body)
                self._check_message(root, operation)
                result = work(first(root, f"s:Body/w:{operation}"), reject)
            except Unreadable:
                return _fault("InvalidMessage")
            except Fault as fault:
                return _fault(fault.code)
            return _envelope(
                f'<{operation}Response xmlns="http://wcf.dian.colombia">{result}</{operation}Response>', operation
            )

        return answer

    def _check_message(self, root: Element, operation: str) -> None:
        """WS-Security: the token's signature over this very Timestamp and To, now, by a certificate that is trusted."""
        header = first(root, "s:Header")
        security = first(header, "wsse:Security")
        stamp, to = first(security, "wsu:Timestamp"), first(header, "a:To")
        token = first(security, "wsse:BinarySecurityToken")
        signature = first(security, "ds:Signature")
        try:
            start, end = (datetime.fromisoformat(text(stamp, f"wsu:{name}")) for name in ("Created", "Expires"))
        except ValueError:
            raise Fault("InvalidSecurity") from None
        cert = certificate(token.text or "")
        signed = {item.get("URI") for item in signature.iterfind("ds:SignedInfo/ds:Reference", NS)}
        wsu = f"{{{NS['wsu']}}}Id"
        reference = first(signature, "ds:KeyInfo/wsse:SecurityTokenReference/wsse:Reference").get("URI")
        good = (
            signed == {f"#{stamp.get(wsu)}", f"#{to.get(wsu)}"}
            and reference == f"#{token.get(wsu)}"
            and text(header, "a:Action") == _ACTION + operation
            and start <= end <= start + timedelta(hours=1)
            and self._authority.trusts(cert, datetime.now(UTC))
            and verifies(root, signature, cert.public_bytes(Encoding.DER))
        )
        if not good:
            raise Fault("InvalidSecurity")

    # Documents

    def _send_now(self, call: Element, reject: bool) -> str:
        document = self._document(call)
        if document is None:
            return _result("SendBillSyncResult", _said("", ["Regla: ZB02, Rechazo: Archivo no válido"]))
        key, rules, kept = document
        if reject:
            rules = [_REFUSED]
        if rules:
            return _result("SendBillSyncResult", _said(key, rules))
        return _result("SendBillSyncResult", self._validated(key, kept))

    def _send_later(self, call: Element, reject: bool, operation: str = "SendBillAsync") -> str:
        document = self._document(call)
        zip_key = str(uuid4())
        if document is None:
            words = "<b:ErrorMessageList><b:XmlParamsResponseTrackId><b:ProcessedMessage>Archivo no válido"
            words += "</b:ProcessedMessage></b:XmlParamsResponseTrackId></b:ErrorMessageList><b:ZipKey></b:ZipKey>"
            return _result(f"{operation}Result", words)
        key, rules, kept = document
        batch = {"id": zip_key, "key": key, "rules": [_REFUSED] if reject else rules, "kept": kept, "decided": False}
        self._store.put(BATCH, zip_key, {**batch, "asked": 0}, keys=[key])
        return _result(f"{operation}Result", f"<b:ErrorMessageList/><b:ZipKey>{zip_key}</b:ZipKey>")

    def _send_test(self, call: Element, reject: bool) -> str:
        if not text(call, "w:testSetId"):
            raise Unreadable
        return self._send_later(call, reject, "SendTestSetAsync")

    def _status(self, call: Element, _: bool) -> str:
        key = text(call, "w:trackId")
        kept = self._ledger.get(key)
        if kept is None:
            return _result("GetStatusResult", _unknown())
        return _result("GetStatusResult", self._said_of(key, kept))

    def _batch(self, call: Element, _: bool) -> str:
        batch = self._store.get(BATCH, text(call, "w:trackId"))
        if batch is None:
            return _result("GetStatusZipResult", f"<b:DianResponse>{_unknown()}</b:DianResponse>")
        batch["asked"] += 1
        # Whoever asks a second time has waited long enough.
        batch["decided"] = batch["decided"] or batch["asked"] > 1
        self._settle(batch)
        key = str(batch["key"])
        if not batch["decided"]:
            said = _response("98", "Batch en proceso de validación.", key, [], None)
        elif batch["rules"]:
            said = _said(key, batch["rules"])
        else:
            said = self._said_of(key, self._ledger.get(key) or {})
        return _result("GetStatusZipResult", f"<b:DianResponse>{said}</b:DianResponse>")

    def _settle(self, batch: Json) -> None:
        self._store.put(BATCH, str(batch["id"]), batch)
        if batch["decided"] and not batch["rules"] and self._ledger.get(str(batch["key"])) is None:
            self._validated(str(batch["key"]), batch["kept"])

    def _ranges(self, call: Element, _: bool) -> str:
        taxpayer = self._store.get(TAXPAYER, text(call, "w:accountCode"))
        found = taxpayer["ranges"] if taxpayer and taxpayer["softwareId"] == text(call, "w:softwareCode") else []
        rows = "".join(
            "<c:NumberRangeResponse>"
            + "".join(
                f"<c:{name}>{escape(str(item.get(source) or ''))}</c:{name}>"
                for name, source in (
                    ("FromNumber", "from"),
                    ("Prefix", "prefix"),
                    ("ResolutionDate", "validFrom"),
                    ("ResolutionNumber", "resolution"),
                    ("TechnicalKey", "technicalKey"),
                    ("ToNumber", "to"),
                    ("ValidDateFrom", "validFrom"),
                    ("ValidDateTo", "validTo"),
                )
            )
            + "</c:NumberRangeResponse>"
            for item in found
        )
        code = "100" if found else "301"
        return _result(
            "GetNumberingRangeResult",
            f"<b:OperationCode>{code}</b:OperationCode><b:OperationDescription/>"
            f'<b:ResponseList xmlns:c="http://schemas.datacontract.org/2004/07/NumberRangeResponse">{rows}</b:ResponseList>',
        )

    def _document(self, call: Element) -> tuple[str, list[str], Json] | None:
        """Its key, what is wrong with it, and what to keep of it; None for what is no archive of one document."""
        content = _unpacked(text(call, "w:fileName"), text(call, "w:contentFile"))
        if content is None:
            return None
        root = parsed(content)
        nit = text(root, "cac:AccountingSupplierParty/cac:Party/cac:PartyTaxScheme/cbc:CompanyID")
        named = text(root, "cac:BillingReference/cac:InvoiceDocumentReference/cbc:UUID")
        examined = self._examiner.examine(
            root, self._store.get(TAXPAYER, nit), self._ledger.get(named) if named else None
        )
        rules = list(examined.rules)
        number = f"{nit}/{examined.document_type}/{examined.number}"
        if self._store.get(NUMBER, number) is not None:
            rules = [_PROCESSED]
        kept = {
            "nit": nit,
            "number": examined.number,
            "documentType": examined.document_type,
            "total": examined.total,
            "place": number,
            "xml": encoded(content),
        }
        return examined.key, rules, kept

    def _validated(self, key: str, kept: Json) -> str:
        with self._store.transaction():
            self._ledger.take(key, {**kept, "state": "validated", "receipt": encoded(self._receipt(key, kept))})
            self._store.put(NUMBER, str(kept["place"]), {"key": key})
        return self._said_of(key, self._ledger.get(key) or {})

    def _said_of(self, key: str, kept: Json) -> str:
        return _response("00", "Procesado Correctamente.", key, [], str(kept["receipt"]))

    def _receipt(self, key: str, kept: Json) -> bytes:
        """The ApplicationResponse: the document is validated, signed by the authority of tests."""
        now = datetime.now(UTC).astimezone(_COLOMBIA)
        certificate_of_dian, private = self._authority.pair
        response = sha384(f"{key}{now.isoformat()}".encode()).hexdigest()
        root = etree.fromstring(
            f'<ApplicationResponse xmlns="urn:oasis:names:specification:ubl:schema:xsd:ApplicationResponse-2"'
            f' xmlns:cac="{NS["cac"]}" xmlns:cbc="{NS["cbc"]}" xmlns:ext="{NS["ext"]}">'
            "<ext:UBLExtensions><ext:UBLExtension><ext:ExtensionContent/></ext:UBLExtension></ext:UBLExtensions>"
            "<cbc:UBLVersionID>UBL 2.1</cbc:UBLVersionID><cbc:CustomizationID>1</cbc:CustomizationID>"
            f"<cbc:ProfileID>DIAN 2.1</cbc:ProfileID><cbc:ID>{uuid4()}</cbc:ID>"
            f'<cbc:UUID schemeName="CUDE-SHA384">{response}</cbc:UUID><cbc:IssueDate>{now:%Y-%m-%d}</cbc:IssueDate>'
            f"<cbc:IssueTime>{now:%H:%M:%S}-05:00</cbc:IssueTime><cac:DocumentResponse><cac:Response>"
            f"<cbc:ResponseCode>02</cbc:ResponseCode><cbc:Description>Documento validado por la DIAN</cbc:Description>"
            f"</cac:Response><cac:DocumentReference><cbc:ID>{escape(str(kept['number']))}</cbc:ID>"
            f"<cbc:UUID>{key}</cbc:UUID></cac:DocumentReference></cac:DocumentResponse></ApplicationResponse>"
        )
        signature = xmlsec.template.create(root, constants.TransformInclC14N, constants.TransformRsaSha256)
        first(root, "ext:UBLExtensions/ext:UBLExtension/ext:ExtensionContent").append(signature)
        reference = xmlsec.template.add_reference(signature, constants.TransformSha256, uri="")
        xmlsec.template.add_transform(reference, constants.TransformEnveloped)
        xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
        context = xmlsec.SignatureContext()
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        context.key = xmlsec.Key.from_memory(pem, constants.KeyDataFormatPem)
        context.key.load_cert_from_memory(certificate_of_dian.public_bytes(Encoding.PEM), constants.KeyDataFormatPem)
        context.sign(signature)
        return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _unpacked(name: str, content: str) -> bytes | None:
    try:
        archive = zipfile.ZipFile(io.BytesIO(b64decode(content, validate=True)))
        (member,) = archive.infolist()
        if not _ZIP.fullmatch(name) or not _NAME.fullmatch(member.filename) or member.file_size > _MOST:
            return None
        return archive.read(member)
    except (BadBase64, ValueError, zipfile.BadZipFile):
        return None


def _said(key: str, rules: list[str]) -> str:
    return _response("99", "Validación contiene errores en campos mandatorios.", key, rules, None)


def _unknown() -> str:
    return _response("66", "TrackId no existe en los registros de la DIAN.", "", [], None)


def _response(code: str, words: str, key: str, rules: list[str], receipt: str | None) -> str:
    messages = "".join(f"<c:string>{escape(rule)}</c:string>" for rule in rules)
    content = f"<b:XmlBase64Bytes>{receipt}</b:XmlBase64Bytes>" if receipt else '<b:XmlBase64Bytes i:nil="true"/>'
    return (
        '<b:ErrorMessage xmlns:c="http://schemas.microsoft.com/2003/10/Serialization/Arrays">'
        f"{messages}</b:ErrorMessage><b:IsValid>{str(code == '00').lower()}</b:IsValid>"
        f"<b:StatusCode>{code}</b:StatusCode><b:StatusDescription>{words}</b:StatusDescription>"
        f'<b:StatusMessage i:nil="true"/>{content}<b:XmlBytes i:nil="true"/>'
        f"<b:XmlDocumentKey>{escape(key)}</b:XmlDocumentKey><b:XmlFileName/>"
    )


def _result(name: str, content: str) -> str:
    return (
        f'<{name} xmlns:b="http://schemas.datacontract.org/2004/07/DianResponse"'
        f' xmlns:i="http://www.w3.org/2001/XMLSchema-instance">{content}</{name}>'
    )


def _envelope(body: str, operation: str) -> Response:
    content = (
        f'<s:Envelope xmlns:s="{NS["s"]}" xmlns:a="{NS["a"]}"><s:Header><a:Action s:mustUnderstand="1">'
        f"{_ACTION}{operation}Response</a:Action></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )
    return Response(content, media_type="application/soap+xml; charset=utf-8")


def _fault(code: str) -> Response:
    content = (
        f'<s:Envelope xmlns:s="{NS["s"]}"><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode>'
        f'<s:Value xmlns:a="{NS["wsse"]}">a:{code}</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="en-US">'
        "An error occurred when verifying security for the message.</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>"
    )
    return Response(content, 500, media_type="application/soap+xml; charset=utf-8")
