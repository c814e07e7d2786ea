"""The twin of ARCA, put together.

POST /_control/arca/certificates    {"cuit", "alias", "days"}: a certificate and its key, in PEM
POST /_control/arca/tickets/revoke  every ticket becomes worthless
Faults by operation: loginCms, FECompUltimoAutorizado, FECompConsultar, FECAESolicitar. Documents under
`<cuit>/<point of sale>/<type>/<number>`.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from twins.authorities.arca import soap
from twins.authorities.arca.certificates import CertificateAuthority, span
from twins.authorities.arca.wsaa import KIND as TICKET_KIND
from twins.authorities.arca.wsaa import Wsaa
from twins.authorities.arca.wsfe import LAST_KIND, Wsfe
from twins.authorities.base import Authority, Exchange, Ledger, control
from twins.faults import FaultPlan
from twins.settings import TwinsSettings
from twins.store import Store

NAME = "arca"


class CertificateRequest(BaseModel):
    """days: for which it is still good; negative for one that has expired."""

    model_config = ConfigDict(extra="forbid")

    cuit: Annotated[str, Field(pattern=r"^\d{11}$")]
    alias: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,40}$")] = "cobro"
    days: Annotated[int, Field(ge=-365, le=3650)] = 730


def build(_: TwinsSettings, store: Store) -> Authority:
    faults, ledger, authority = FaultPlan(), Ledger(store, NAME), CertificateAuthority(store)
    exchange, wsaa = Exchange(faults), Wsaa(store, authority)
    wsfe = Wsfe(store, ledger, wsaa)
    router = APIRouter(prefix=f"/{NAME}")
    router.add_api_route(
        "/ws/services/LoginCms", exchange.endpoint("loginCms", wsaa.login), methods=["POST"], response_model=None
    )
    operations = {
        name: exchange.endpoint(name, work)
        for name, work in (
            ("FECompUltimoAutorizado", wsfe.last),
            ("FECompConsultar", wsfe.consult),
            ("FECAESolicitar", wsfe.solicit),
        )
    }

    @router.post("/wsfev1/service.asmx", response_model=None)
    async def service(request: Request) -> Response:
        name = request.headers.get("SOAPAction", "").strip('"').rpartition("/")[2]
        if name not in operations:
            return soap.fault("soap:Client", "Server did not recognize the value of HTTP Header SOAPAction")
        return await operations[name](request)

    behind = APIRouter(prefix=f"/_control/{NAME}", tags=[NAME])

    @behind.post("/certificates", status_code=201)
    async def certificate(wanted: CertificateRequest) -> dict[str, str]:
        certificate, key = authority.issue(wanted.cuit, wanted.alias, *span(wanted.days))
        return {"certificate": certificate, "privateKey": key}

    @behind.post("/tickets/revoke")
    async def revoke() -> dict[str, int]:
        return {"revoked": wsaa.revoke()}

    def decides_at_once(_: str, __: bool) -> dict[str, Any] | None:
        return None

    return Authority(
        name=NAME,
        title="ARCA",
        faults=faults,
        routers=[router, behind, control(NAME, ledger, faults, decides_at_once)],
        kinds=[ledger.kind, TICKET_KIND, LAST_KIND],
    )
