"""What the PACs stamp and SAT keeps: one book for each PAC, so that two stamps of one document are seen."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import uuid4

from lxml import etree

from twins.authorities.base import Json, Ledger
from twins.authorities.mx import keys
from twins.authorities.mx.chain import NS, stamp_chain
from twins.authorities.mx.keys import Authority
from twins.authorities.mx.rules import Refusal, checked

_TFD = "http://www.sat.gob.mx/TimbreFiscalDigital"
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"
# Up to so many pesos nobody needs to be asked.
_WITHOUT_CONSENT = Decimal(1000)
_PUBLIC = "XAXX010101000"


class Desk:
    """A document's key is the PAC and the SHA-256 of what it was sent."""

    def __init__(self, ledger: Ledger, authority: Authority) -> None:
        self._ledger = ledger
        self._authority = authority

    def stamp(self, pac: str, content: bytes) -> tuple[Json, bool]:
        """What is there from now on, and whether it is new. Raises Refusal."""
        key = f"{pac}:{sha256(content).hexdigest()}"
        if self._ledger.get(key) is not None:
            return self._ledger.take(key, {})
        root = checked(content, self._authority)
        uuid, stamped = self._stamped(root)
        receiver = root.find(f"{NS}Receptor")
        issuer = root.find(f"{NS}Emisor")
        assert receiver is not None
        assert issuer is not None
        document = {
            "uuid": uuid,
            "cfdi": stamped,
            "state": "Vigente",
            "cancelation": "",
            "issuer": issuer.get("Rfc"),
            "receiver": receiver.get("Rfc"),
            "total": root.get("Total"),
            "seal": root.get("Sello"),
            "kind": root.get("TipoDeComprobante"),
            "number": f"{root.get('Serie', '')}{root.get('Folio', '')}",
        }
        taken = self._ledger.take(key, document)
        self._ledger.take(f"uuid:{uuid}", {"of": key})
        return taken

    def stamped(self, pac: str, digest: str) -> Json | None:
        return self._ledger.get(f"{pac}:{digest}")

    def by_uuid(self, uuid: str) -> Json | None:
        pointer = self._ledger.get(f"uuid:{uuid.upper()}")
        return self._ledger.get(str(pointer["of"])) if pointer else None

    def cancel(self, rfc: str, uuid: str) -> str:
        """SAT's code. Where the receiver has a say, it waits for `decide`."""
        document = self.by_uuid(uuid)
        if document is None:
            return "205"
        if document["issuer"] != rfc:
            return "203"
        if document["state"] == "Cancelado":
            return "202"
        if document["cancelation"] != "En proceso":
            alone = document["receiver"] == _PUBLIC or Decimal(str(document["total"])) <= _WITHOUT_CONSENT
            self._mark(document, canceled=alone, said="Cancelado sin aceptación" if alone else "En proceso")
        return "201"

    def decide(self, key: str, accept: bool) -> Json | None:
        """key: PAC and digest, or a UUID."""
        document = self._ledger.get(key) or self.by_uuid(key)
        if document is None:
            return None
        if document["cancelation"] == "En proceso":
            said = "Cancelado con aceptación" if accept else "Solicitud rechazada"
            return self._mark(document, canceled=accept, said=said)
        return document

    def _mark(self, document: Json, *, canceled: bool, said: str) -> Json | None:
        pointer = self._ledger.get(f"uuid:{document['uuid']}")
        assert pointer is not None
        state = "Cancelado" if canceled else "Vigente"
        return self._ledger.change(str(pointer["of"]), state=state, cancelation=said)

    def _stamped(self, root: etree._Element) -> tuple[str, str]:
        uuid = str(uuid4()).upper()
        complement = etree.SubElement(root, f"{NS}Complemento")
        stamp = etree.SubElement(complement, f"{{{_TFD}}}TimbreFiscalDigital", nsmap={"tfd": _TFD})
        values: dict[str, Any] = {
            _XSI: f"{_TFD} http://www.sat.gob.mx/sitio_internet/cfd/TimbreFiscalDigital/TimbreFiscalDigitalv11.xsd",
            "Version": "1.1",
            "UUID": uuid,
            "FechaTimbrado": datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="seconds"),
            "RfcProvCertif": keys.PAC_RFC,
            "SelloCFD": root.get("Sello", ""),
            "NoCertificadoSAT": self._authority.pac_number,
        }
        for name, value in values.items():
            stamp.set(name, value)
        seal, _ = self._authority.seal(stamp_chain(stamp))
        stamp.set("SelloSAT", seal)
        return uuid, etree.tostring(root, encoding="UTF-8", xml_declaration=True).decode()


__all__ = ["Desk", "Refusal"]
