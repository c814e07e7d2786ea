"""The doors: SW Sapien under /sw, Finkok under /finkok, SAT's query under /sat, and certificates from behind.

POST /_control/mx/csd {"rfc", "name", "days"?, "usage"?}   a CSD of the test authority, with its key
"""

from __future__ import annotations

import base64
import binascii
from hashlib import sha256
from typing import Annotated, Literal
from xml.sax.saxutils import escape

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from lxml import etree
from pydantic import BaseModel, ConfigDict, StringConstraints

from twins.authorities.base import Authority, Exchange, Json, Ledger, control
from twins.authorities.mx import cancelation, keys
from twins.authorities.mx.desk import Desk
from twins.authorities.mx.rules import Refusal, schema
from twins.faults import FaultPlan
from twins.settings import TwinsSettings
from twins.store import Store

NAME = "mx"
_REFUSED = Refusal("CFDI40158", "El nombre del receptor no es el de su RFC")
_XML = "text/xml; charset=utf-8"
_ACUSE = '<Acuse xmlns="http://cancelacfd.sat.gob.mx" UUID="{uuid}" EstatusUUID="{code}"/>'


class CsdOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rfc: Annotated[str, StringConstraints(pattern=r"^[A-ZÑ&]{3,4}\d{6}[A-Z0-9]{3}$")]
    name: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    days: int | None = None
    usage: Literal["csd", "efirma"] = "csd"


def build(settings: TwinsSettings, store: Store) -> Authority:
    faults = FaultPlan()
    ledger = Ledger(store, NAME)
    sat = keys.Authority(store)
    desk = Desk(ledger, sat)
    exchange = Exchange(faults)
    behind = control(NAME, ledger, faults, desk.decide)

    @behind.post("/csd", status_code=201)
    async def csd(order: CsdOrder) -> Json:
        # Compiled before it is first used, so that the first stamp takes no longer than the others.
        schema()
        return {"data": sat.csd(order.rfc, order.name, days=order.days, usage=order.usage)}

    routers = [_sw(desk, sat, exchange), _finkok(desk, sat, exchange), _query(desk, exchange), behind]
    return Authority(NAME, "PAC y SAT (México)", faults, routers, [ledger.kind])


def _sw(desk: Desk, sat: keys.Authority, exchange: Exchange) -> APIRouter:
    router = APIRouter(prefix="/sw", tags=["mx"])

    def stamp(body: bytes, reject: bool) -> Response:
        try:
            if reject:
                raise _REFUSED
            document, new = desk.stamp("sw", _part(body))
        except Refusal as refusal:
            message = f"{refusal.code}. {refusal.text}"
            return JSONResponse({"message": message, "messageDetail": None, "data": None, "status": "error"}, 400)
        data = {"uuid": document["uuid"], "cfdi": document["cfdi"]}
        if not new:
            message = "307. El comprobante contiene un timbre previo."
            return JSONResponse({"message": message, "messageDetail": None, "data": data, "status": "error"}, 400)
        return JSONResponse({"data": data, "status": "success"})

    def cancel(body: bytes, reject: bool) -> Response:
        try:
            if reject:
                raise Refusal("204", "Folio no aplicable a cancelación")
            uuids = {uuid: desk.cancel(rfc, uuid) for rfc, uuid in cancelation.asked(_part(body), sat)}
        except Refusal as refusal:
            message = f"{refusal.code}. {refusal.text}"
            return JSONResponse({"message": message, "messageDetail": None, "data": None, "status": "error"}, 400)
        acuse = "".join(_ACUSE.format(uuid=uuid, code=code) for uuid, code in uuids.items())
        return JSONResponse({"data": {"acuse": acuse, "uuid": uuids}, "status": "success"})

    router.add_api_route("/v4/cfdi33/stamp/v4", exchange.endpoint("sw.stamp", stamp), methods=["POST"])
    router.add_api_route("/cfdi33/cancel/xml", exchange.endpoint("sw.cancel", cancel), methods=["POST"])

    @router.get("/datawarehouse/v1/live/customid/{custom_id}", response_model=None)
    async def query(custom_id: str, request: Request) -> Response:
        def found(_: bytes, reject: bool) -> Response:
            document = desk.stamped("sw", custom_id)
            if document is None:
                return JSONResponse({"message": "No encontrado", "data": None, "status": "error"}, 404)
            return JSONResponse({"data": {"uuid": document["uuid"], "cfdi": document["cfdi"]}, "status": "success"})

        return await exchange.endpoint("sw.query", found)(request)

    return router


def _finkok(desk: Desk, sat: keys.Authority, exchange: Exchange) -> APIRouter:
    router = APIRouter(prefix="/finkok/servicios/soap", tags=["mx"])

    def stamp(body: bytes, reject: bool) -> Response:
        operation, content = _operation(body)
        if operation == "stamped":
            return _answer("stamped", _stamped(desk, content))
        try:
            if reject:
                raise _REFUSED
            document, new = desk.stamp("finkok", content)
        except Refusal as refusal:
            return _answer("stamp", _incidence(refusal.code, refusal.text))
        # As it does: what it has stamped before it does not send again.
        return _answer("stamp", _shown(document) if new else _incidence("307", "El CFDI contiene un timbre previo"))

    def cancel(body: bytes, reject: bool) -> Response:
        try:
            if reject:
                raise Refusal("204", "Folio no aplicable a cancelación")
            codes = [(uuid, desk.cancel(rfc, uuid)) for rfc, uuid in cancelation.asked(_operation(body)[1], sat)]
        except Refusal as refusal:
            return _answer("cancel_signature", f"<a:CodEstatus>{refusal.code}</a:CodEstatus>")
        folios = "".join(
            f"<a:Folio><a:UUID>{uuid}</a:UUID><a:EstatusUUID>{code}</a:EstatusUUID></a:Folio>" for uuid, code in codes
        )
        acuse = escape("".join(_ACUSE.format(uuid=uuid, code=code) for uuid, code in codes))
        return _answer("cancel_signature", f"<a:Folios>{folios}</a:Folios><a:Acuse>{acuse}</a:Acuse>")

    async def stamping(request: Request) -> Response:
        # A fault of stamping is none of asking what was stamped.
        operation = b"stamped" if b":stamped>" in await request.body() else b"stamp"
        return await exchange.endpoint(f"finkok.{operation.decode()}", stamp)(request)

    router.add_api_route("/stamp.wsdl", stamping, methods=["POST"], response_model=None)
    router.add_api_route("/cancel.wsdl", exchange.endpoint("finkok.cancel", cancel), methods=["POST"])
    return router


def _stamped(desk: Desk, content: bytes) -> str:
    document = desk.stamped("finkok", sha256(content).hexdigest())
    return _incidence("603", "El CFDI no contiene un timbre previo") if document is None else _shown(document)


def _query(desk: Desk, exchange: Exchange) -> APIRouter:
    router = APIRouter(prefix="/sat", tags=["mx"])

    def standing(body: bytes, reject: bool) -> Response:
        wanted = _parameters(body)
        document = desk.by_uuid(wanted.get("id", ""))
        known = document is not None and all(
            wanted.get(name) == document[field]
            for name, field in (("re", "issuer"), ("rr", "receiver"), ("tt", "total"))
        )
        state, said = (document["state"], document["cancelation"]) if document and known else ("No Encontrado", "")
        code = "S - Comprobante obtenido satisfactoriamente." if known else "N - 602: Comprobante no encontrado."
        return Response(
            '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
            '<ConsultaResponse xmlns="http://tempuri.org/"><ConsultaResult'
            ' xmlns:a="http://schemas.datacontract.org/2004/07/Sat.Cfdi.Negocio.ConsultaCfdi.Servicio">'
            f"<a:CodigoEstatus>{code}</a:CodigoEstatus><a:EsCancelable>Cancelable</a:EsCancelable>"
            f"<a:Estado>{state}</a:Estado><a:EstatusCancelacion>{said}</a:EstatusCancelacion>"
            "</ConsultaResult></ConsultaResponse></s:Body></s:Envelope>",
            media_type=_XML,
        )

    router.add_api_route("/ConsultaCFDIService.svc", exchange.endpoint("sat.query", standing), methods=["POST"])
    return router


def _part(body: bytes) -> bytes:
    """The one file of a form."""
    _, _, rest = body.partition(b"\r\n\r\n")
    content, _, _ = rest.rpartition(b"\r\n--")
    return content


def _operation(body: bytes) -> tuple[str, bytes]:
    try:
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
        operation = root.find("{http://schemas.xmlsoap.org/soap/envelope/}Body")
        assert operation is not None
        xml = next(operation.iter("{*}xml"))
        return etree.QName(operation[0]).localname, base64.b64decode(xml.text or "", validate=True)
    except (etree.XMLSyntaxError, AssertionError, StopIteration, IndexError, binascii.Error):
        return "", b""


def _parameters(body: bytes) -> dict[str, str]:
    try:
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return {}
    text = next((element.text or "" for element in root.iter("{*}expresionImpresa")), "")
    return dict(pair.split("=", 1) for pair in text.lstrip("?").split("&") if "=" in pair)


def _answer(operation: str, inside: str) -> Response:
    return Response(
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<senv:Envelope xmlns:senv="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:tns="http://facturacion.finkok.com/stamp" xmlns:a="apps.services.soap.core.views"><senv:Body>'
        f"<tns:{operation}Response><tns:{operation}Result>{inside}</tns:{operation}Result></tns:{operation}Response>"
        "</senv:Body></senv:Envelope>",
        media_type=_XML,
    )


def _shown(document: Json) -> str:
    return (
        f"<a:xml>{escape(str(document['cfdi']))}</a:xml><a:UUID>{document['uuid']}</a:UUID>"
        "<a:CodEstatus>Comprobante timbrado satisfactoriamente</a:CodEstatus><a:Incidencias/>"
    )


def _incidence(code: str, text: str) -> str:
    return (
        f"<a:Incidencias><a:Incidencia><a:CodigoError>{code}</a:CodigoError>"
        f"<a:MensajeIncidencia>{escape(text)}</a:MensajeIncidencia></a:Incidencia></a:Incidencias>"
    )
