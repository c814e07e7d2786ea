"""WSFEv1: the last number, a CAE for the next, and what was authorized before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from xml.etree.ElementTree import Element

from fastapi.responses import Response

from twins.authorities.arca import rules, soap
from twins.authorities.arca.soap import FEV1, messages, result, text
from twins.authorities.arca.wsaa import Wsaa
from twins.authorities.base import Ledger
from twins.store import Store

LAST_KIND = "arca.last"
_BAD_TOKEN = [(600, "ValidacionDeToken: No aparecio el token o la firma, o no corresponden a la CUIT")]


class Wsfe:
    def __init__(self, store: Store, ledger: Ledger, wsaa: Wsaa) -> None:
        self._store = store
        self._ledger = ledger
        self._wsaa = wsaa

    def last(self, body: bytes, reject: bool) -> Response:
        return self._answered(body, "FECompUltimoAutorizado", lambda call, cuit: self._last(call, cuit, reject))

    def consult(self, body: bytes, reject: bool) -> Response:
        return self._answered(body, "FECompConsultar", lambda call, cuit: self._consult(call, cuit))

    def solicit(self, body: bytes, reject: bool) -> Response:
        return self._answered(body, "FECAESolicitar", lambda call, cuit: self._solicit(call, cuit, reject))

    def _answered(self, body: bytes, name: str, work: Callable[[Element, int], str]) -> Response:
        try:
            call = soap.operation(body)
        except soap.Malformed as error:
            return soap.fault("soap:Client", f"Server was unable to read request: {error}")
        if call.tag != f"{FEV1}{name}":
            return soap.fault("soap:Client", "Server did not recognize the value of HTTP Header SOAPAction")
        auth = call.find(f"{FEV1}Auth")
        cuit = text(auth, "Cuit") if auth is not None else ""
        holder = self._wsaa.holder(text(auth, "Token"), text(auth, "Sign")) if auth is not None else None
        if holder is None or holder != cuit:
            return result(name, messages("Errors", "Err", _BAD_TOKEN))
        try:
            return result(name, work(call, int(cuit)))
        except ValueError as error:
            return soap.fault("soap:Client", f"Server was unable to read request: {error}")

    def _last(self, call: Element, cuit: int, reject: bool) -> str:
        place, type = int(text(call, "PtoVta")), int(text(call, "CbteTipo"))
        if reject:
            words = "El punto de venta no se encuentra habilitado a usar en el presente ws"
            return messages("Errors", "Err", [(11002, words)])
        number = self._last_of(cuit, place, type)["number"]
        return f"<PtoVta>{place}</PtoVta><CbteTipo>{type}</CbteTipo><CbteNro>{number}</CbteNro>"

    def _consult(self, call: Element, cuit: int) -> str:
        wanted = call.find(f"{FEV1}FeCompConsReq")
        if wanted is None:
            raise ValueError("FeCompConsReq")
        place, type, number = (int(text(wanted, name)) for name in ("PtoVta", "CbteTipo", "CbteNro"))
        found = self._ledger.get(key(cuit, place, type, number))
        if found is None:
            words = "No existen datos en nuestros registros para los parametros ingresados."
            return messages("Errors", "Err", [(602, words)])
        fields = "".join(f"<{name}>{value}</{name}>" for name, value in found["fields"].items())
        return (
            f"<ResultGet>{fields}<Resultado>A</Resultado><CodAutorizacion>{found['cae']}</CodAutorizacion>"
            f"<EmisionTipo>CAE</EmisionTipo><FchVto>{found['due']}</FchVto><PtoVta>{place}</PtoVta>"
            f"<CbteTipo>{type}</CbteTipo></ResultGet>"
        )

    def _solicit(self, call: Element, cuit: int, reject: bool) -> str:
        request = call.find(f"{FEV1}FeCAEReq")
        head = request.find(f"{FEV1}FeCabReq") if request is not None else None
        details = request.findall(f"{FEV1}FeDetReq/{FEV1}FECAEDetRequest") if request is not None else []
        if head is None or len(details) != 1 or text(head, "CantReg") != "1":
            return messages("Errors", "Err", [(10001, "CantReg debe ser igual a la cantidad de registros")])
        detail, place, type = details[0], int(text(head, "PtoVta")), int(text(head, "CbteTipo"))
        wrong = rules.structure(detail)
        if wrong:
            return messages("Errors", "Err", wrong)
        number = int(text(detail, "CbteDesde"))
        if reject:
            wrong = [(10015, "El DocNro informado no se encuentra registrado en los padrones")]
        else:
            wrong = rules.content(
                detail, place, type, lambda *other: self._ledger.get(key(cuit, *other)), cuit
            ) or self._order(detail, cuit, place, type, number)
        if wrong:
            return _decided(cuit, place, type, detail, "R", messages("Observaciones", "Obs", wrong), "", "")
        stamp = self._authorize(detail, cuit, place, type, number)
        return _decided(cuit, place, type, detail, "A", "", stamp["cae"], stamp["due"])

    def _order(self, detail: Element, cuit: int, place: int, type: int, number: int) -> list[rules.Finding]:
        last = self._last_of(cuit, place, type)
        is_next = number == last["number"] + 1 == int(text(detail, "CbteHasta"))
        if is_next and text(detail, "CbteFch") >= last["day"]:
            return []
        return [(10016, "El numero o fecha del comprobante no se corresponde con el proximo a autorizar.")]

    def _authorize(self, detail: Element, cuit: int, place: int, type: int, number: int) -> dict[str, Any]:
        name, day = key(cuit, place, type, number), text(detail, "CbteFch")
        fields = {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in detail if not len(child)}
        document = {
            "key": name,
            "cae": f"7{int(sha256(name.encode()).hexdigest(), 16) % 10**13:013d}",
            "due": f"{datetime.strptime(day, '%Y%m%d') + timedelta(days=10):%Y%m%d}",  # noqa: DTZ007 - a day
            "day": day,
            "fields": fields,
        }
        with self._store.transaction():
            kept, _ = self._ledger.take(name, document)
            self._store.put(LAST_KIND, f"{cuit}/{place}/{type}", {"number": number, "day": day})
        return kept

    def _last_of(self, cuit: int, place: int, type: int) -> dict[str, Any]:
        return self._store.get(LAST_KIND, f"{cuit}/{place}/{type}") or {"number": 0, "day": ""}


def key(cuit: int, place: int, type: int, number: int) -> str:
    """Under which the control API shows a document."""
    return f"{cuit}/{place}/{type}/{number}"


def _decided(cuit: int, place: int, type: int, detail: Element, word: str, notes: str, cae: str, due: str) -> str:
    same = "".join(
        f"<{name}>{text(detail, name)}</{name}>"
        for name in ("Concepto", "DocTipo", "DocNro", "CbteDesde", "CbteHasta", "CbteFch")
    )
    return (
        f"<FeCabResp><Cuit>{cuit}</Cuit><PtoVta>{place}</PtoVta><CbteTipo>{type}</CbteTipo>"
        f"<CantReg>1</CantReg><Resultado>{word}</Resultado><Reproceso>N</Reproceso></FeCabResp>"
        f"<FeDetResp><FECAEDetResponse>{same}<Resultado>{word}</Resultado>{notes}"
        f"<CAE>{cae}</CAE><CAEFchVto>{due}</CAEFchVto></FECAEDetResponse></FeDetResp>"
    )
