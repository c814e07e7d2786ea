"""The twin of SII, put together.

POST /_control/sii/certificates  {"rut", "name", "days"}: a person's certificate, PKCS#12 in base64, and its password
POST /_control/sii/cafs          {"rut", "name", "type", "count", "first"}: a CAF in base64, of the issuer's next folios
                                 where none is named as the first
POST /_control/sii/decisions     {"seconds"}: how long a decision takes by itself
POST /_control/sii/tokens/revoke every token becomes worthless
Faults by operation: seed, token, upload, state. Documents under `<RUT>/<type>/<folio>`.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from datetime import UTC, date, datetime
from email.parser import BytesParser
from email.policy import HTTP
from typing import Annotated, Any
from xml.sax.saxutils import escape

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from lxml import etree
from pydantic import BaseModel, ConfigDict, Field

from twins.authorities.base import Authority, Exchange, Json, Ledger, control
from twins.authorities.sii import checking
from twins.authorities.sii.desk import KINDS, Desk
from twins.authorities.sii.keys import Keys
from twins.faults import FaultPlan
from twins.settings import TwinsSettings
from twins.store import Store

NAME = "sii"
_RUT = Annotated[str, Field(pattern=r"^\d{1,8}-[\dK]$")]
_SII = 'xmlns:SII="http://www.sii.cl/XMLSchema"'


class CertificateRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rut: _RUT
    name: Annotated[str, Field(min_length=1, max_length=60)] = "Persona de Prueba"
    days: Annotated[int, Field(ge=-365, le=3650)] = 730


class CafRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rut: _RUT
    name: Annotated[str, Field(min_length=1, max_length=40)] = "Comercio de Prueba"
    type: Annotated[int, Field(ge=1, le=999)]
    first: Annotated[int, Field(ge=1, le=10**9)] | None = None
    count: Annotated[int, Field(ge=1, le=10**6)] = 1000
    day: date | None = None


class Decisions(BaseModel):
    model_config = ConfigDict(extra="forbid")

    seconds: Annotated[float, Field(ge=0, le=86_400)]


class _Service:
    """Both of SII's doors: seeds are for one token each, tokens for whoever signed the seed."""

    def __init__(self, desk: Desk, keys: Keys) -> None:
        self._desk = desk
        self._keys = keys
        self._seeds: set[str] = set()
        self._tokens: dict[str, str] = {}

    def revoke(self) -> int:
        count = len(self._tokens)
        self._tokens.clear()
        return count

    # The boleta service

    def seed(self, _: Request, __: bytes, ___: bool) -> Response:
        return Response(self._seed(), media_type="application/xml")

    def token(self, _: Request, body: bytes, __: bool) -> Response:
        return Response(self._token(body), media_type="application/xml")

    def boletas(self, request: Request, body: bytes, reject: bool) -> Response:
        if self._caller(request) is None:
            return Response("NO ESTA AUTENTICADO", 401)
        fields, file = _form(request, body)
        issuer = f"{fields.get('rutCompany')}-{fields.get('dvCompany')}"
        track = self._receive(issuer, file, reject, boletas=True)
        return JSONResponse(
            {
                "rut_emisor": issuer,
                "rut_envia": f"{fields.get('rutSender')}-{fields.get('dvSender')}",
                "trackid": int(track),
                "fecha_recepcion": datetime.now(UTC).strftime("%d/%m/%Y %H:%M:%S"),
                "estado": "REC",
                "file": "envio.xml",
            }
        )

    def boletas_state(self, request: Request, _: bytes, __: bool) -> Response:
        if self._caller(request) is None:
            return Response("NO ESTA AUTENTICADO", 401)
        number, digit, track = request.path_params["key"].split("-")
        found = self._desk.envelope(f"{number}-{digit}", track)
        if found is None:
            return JSONResponse({"descripcion": "No existe"}, 404)
        if found["refused"]:
            code, text = found["refused"]
            return JSONResponse({"trackid": track, "estado": code, "descripcion": text})
        documents = found["documents"]
        if any(document["state"] == "waiting" for document in documents):
            return JSONResponse({"trackid": track, "estado": "REC"})
        details = [_detail(document) for document in documents]
        return JSONResponse(
            {
                "trackid": track,
                "estado": "EPR",
                "estadistica": [{"informados": len(documents), "aceptados": details.count(None)}],
                "detalle_rep_rech": [detail for detail in details if detail is not None],
            }
        )

    def boleta_state(self, request: Request, _: bytes, __: bool) -> Response:
        if self._caller(request) is None:
            return Response("NO ESTA AUTENTICADO", 401)
        number, digit, kind, folio = request.path_params["key"].split("-")
        query = request.query_params
        day, month, year = query["fechaEmision"].split("-")
        code, text = self._document(
            f"{number}-{digit}/{kind}/{folio}",
            f"{query['rut_receptor']}-{query['dv_receptor']}",
            f"{year}-{month}-{day}",
            query["monto"],
        )
        return JSONResponse({"codigo": code, "descripcion": text})

    # The older one

    def upload(self, request: Request, body: bytes, reject: bool) -> Response:
        if self._caller(request) is None:
            return _xml("<RECEPCIONDTE><STATUS>5</STATUS></RECEPCIONDTE>")
        fields, file = _form(request, body)
        track = self._receive(f"{fields.get('rutCompany')}-{fields.get('dvCompany')}", file, reject, boletas=False)
        return _xml(
            f"<RECEPCIONDTE><RUTSENDER>{fields.get('rutSender')}-{fields.get('dvSender')}</RUTSENDER>"
            f"<RUTCOMPANY>{fields.get('rutCompany')}-{fields.get('dvCompany')}</RUTCOMPANY><FILE>envio.xml</FILE>"
            f"<STATUS>0</STATUS><TRACKID>{track}</TRACKID></RECEPCIONDTE>"
        )

    def soap(self, _: Request, body: bytes, __: bool) -> Response:
        call = next(iter(checking.parse(body).iterfind("{http://schemas.xmlsoap.org/soap/envelope/}Body/*")))
        arguments = {str(part.tag): (part.text or "") for part in call}
        operation = etree.QName(call).localname
        match operation:
            case "getSeed":
                answer = self._seed()
            case "getToken":
                answer = self._token(arguments["pszXml"].encode("latin-1"))
            case _ if arguments.get("Token") not in self._tokens:
                answer = _told("003", "TOKEN NO EXISTE")
            case "getEstUp":
                answer = self._upload_state(
                    f"{arguments['RutCompania']}-{arguments['DvCompania']}", arguments["TrackId"]
                )
            case _:
                answer = self._dte_state(arguments)
        return _xml(
            '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
            f"<{operation}Response><{operation}Return>{escape(answer)}</{operation}Return></{operation}Response>"
            "</soapenv:Body></soapenv:Envelope>"
        )

    def _upload_state(self, issuer: str, track: str) -> str:
        found = self._desk.envelope(issuer, track)
        if found is None:
            return _told("-11", "No existe")
        if found["refused"]:
            return _told(*found["refused"])
        documents = found["documents"]
        if any(document["state"] == "waiting" for document in documents):
            return _told("SOK", "Esquema validado")
        accepted = [_detail(document) for document in documents].count(None)
        return _told(
            "EPR",
            "Envio Procesado",
            f"<TIPO_DOCTO>33</TIPO_DOCTO><INFORMADOS>{len(documents)}</INFORMADOS><ACEPTADOS>{accepted}</ACEPTADOS>"
            f"<RECHAZADOS>{len(documents) - accepted}</RECHAZADOS><REPAROS>0</REPAROS>",
        )

    def _dte_state(self, arguments: dict[str, str]) -> str:
        day = arguments["FechaEmisionDte"]
        code, text = self._document(
            f"{arguments['RutCompania']}-{arguments['DvCompania']}/{arguments['TipoDte']}/{arguments['FolioDte']}",
            f"{arguments['RutReceptor']}-{arguments['DvReceptor']}",
            f"{day[4:]}-{day[2:4]}-{day[:2]}",
            arguments["MontoDte"],
        )
        return _told(code, text)

    # Both

    def _document(self, key: str, receiver: str, day: str, total: str) -> tuple[str, str]:
        found = self._desk.document(key)
        if found is None:
            return "FAU", "Documento No Recibido por el SII"
        if found["state"] == "waiting":
            return "PDR", "En proceso"
        if found["state"] == "rejected":
            return "FAU", "; ".join(f"{code} {text}" for code, text in found["messages"]) or "Rechazado"
        if (found["receiver"], found["issuedOn"], str(found["total"])) != (receiver, day, total):
            return "DNK", "Documento Recibido por el SII pero Datos NO Coinciden con los registrados"
        return "DOK", "Documento Recibido por el SII. Datos Coinciden con los Registrados"

    def _receive(self, issuer: str, file: bytes, reject: bool, *, boletas: bool) -> str:
        try:
            documents = checking.envelope(file, self._keys, boletas=boletas)
        except checking.Refused as error:
            return self._desk.refuse(issuer, error.code, str(error))
        return self._desk.receive(issuer, documents, refuse=reject)

    def _seed(self) -> str:
        seed = str(secrets.randbelow(10**12)).zfill(12)
        self._seeds.add(seed)
        return _told("00", "", f"<SEMILLA>{seed}</SEMILLA>")

    def _token(self, body: bytes) -> str:
        try:
            seed, signer = checking.seed_signer(body, self._keys)
        except checking.Refused as error:
            return _told("12", str(error))
        if seed not in self._seeds:
            return _told("11", "Semilla desconocida")
        self._seeds.discard(seed)
        token = secrets.token_hex(8).upper()
        self._tokens[token] = signer
        return _told("00", "Token Creado", f"<TOKEN>{token}</TOKEN>")

    def _caller(self, request: Request) -> str | None:
        """Whose token it is; nobody's without a name of the program that sends."""
        return self._tokens.get(request.cookies.get("TOKEN", "")) if request.headers.get("User-Agent") else None


def build(_: TwinsSettings, store: Store) -> Authority:
    faults, ledger, keys = FaultPlan(), Ledger(store, NAME), Keys(store)
    desk, exchange = Desk(store, ledger), Exchange(faults)
    service = _Service(desk, keys)
    router = APIRouter(prefix=f"/{NAME}", include_in_schema=False)

    def route(method: str, path: str, operation: str, work: Callable[[Request, bytes, bool], Response]) -> None:
        async def answer(request: Request) -> Response:
            return await exchange.endpoint(operation, lambda body, reject: work(request, body, reject))(request)

        router.add_api_route(path, answer, methods=[method], response_model=None)

    route("GET", "/boleta.electronica.semilla", "seed", service.seed)
    route("POST", "/boleta.electronica.token", "token", service.token)
    route("POST", "/boleta.electronica.envio", "upload", service.boletas)
    route("GET", "/boleta.electronica.envio/{key}", "state", service.boletas_state)
    route("GET", "/boleta.electronica/{key}/estado", "state", service.boleta_state)
    route("POST", "/cgi_dte/UPL/DTEUpload", "upload", service.upload)
    for name, operation in (
        ("CrSeed", "seed"),
        ("GetTokenFromSeed", "token"),
        ("QueryEstUp", "state"),
        ("QueryEstDte", "state"),
    ):
        route("POST", f"/DTEWS/{name}.jws", operation, service.soap)
    routers = (router, _behind(desk, keys, service), control(NAME, ledger, faults, desk.decide))
    return Authority(NAME, "SII", faults, routers, KINDS)


def _behind(desk: Desk, keys: Keys, service: _Service) -> APIRouter:
    router = APIRouter(prefix=f"/_control/{NAME}", tags=[NAME])

    @router.post("/certificates", status_code=201)
    async def certificate(wanted: CertificateRequest) -> dict[str, str]:
        file, password = keys.certificate(wanted.rut, wanted.name, wanted.days)
        return {"certificate": base64.b64encode(file).decode(), "password": password}

    @router.post("/cafs", status_code=201)
    async def caf(wanted: CafRequest) -> dict[str, str]:
        day = wanted.day or datetime.now(UTC).date()
        first = desk.give_out(f"{wanted.rut}/{wanted.type}", wanted.count) if wanted.first is None else wanted.first
        file = keys.caf(wanted.rut, wanted.name, wanted.type, first, first + wanted.count - 1, day)
        return {"caf": base64.b64encode(file).decode()}

    @router.post("/decisions")
    async def decisions(wanted: Decisions) -> dict[str, float]:
        desk.decision_seconds = wanted.seconds
        return {"seconds": wanted.seconds}

    @router.post("/tokens/revoke")
    async def revoke() -> dict[str, int]:
        return {"revoked": service.revoke()}

    return router


def _detail(document: Json) -> dict[str, Any] | None:
    """What an envelope's state tells of a document; None of one that is simply accepted."""
    _, kind, folio = document["key"].split("/")
    errors = [{"codigo": code, "descripcion": text} for code, text in document["messages"]]
    if document["again"]:
        errors = [{"codigo": "REP", "descripcion": "Documento ya recibido"}]
    elif document["state"] == "accepted" and not errors:
        return None
    state = "RLV" if document["state"] == "accepted" and not document["again"] else "RCH"
    return {"tipo": int(kind), "folio": int(folio), "estado": state, "descripcion": "", "error": errors}


def _told(code: str, text: str, body: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><SII:RESPUESTA {_SII}><SII:RESP_HDR><ESTADO>{code}</ESTADO>'
        f"<GLOSA>{escape(text)}</GLOSA></SII:RESP_HDR><SII:RESP_BODY>{body}</SII:RESP_BODY></SII:RESPUESTA>"
    )


def _xml(content: str) -> Response:
    return Response(content, media_type="text/xml")


def _form(request: Request, body: bytes) -> tuple[dict[str, str], bytes]:
    """The fields of an upload, and its file."""
    head = f"Content-Type: {request.headers.get('Content-Type', '')}\r\n\r\n".encode("latin-1")
    fields: dict[str, str] = {}
    file = b""
    for part in BytesParser(policy=HTTP).parsebytes(head + body).iter_parts():
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        if part.get_filename():
            file = content
        else:
            fields[str(part.get_param("name", header="content-disposition"))] = content.decode().strip()
    return fields, file
