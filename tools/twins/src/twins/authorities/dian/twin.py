"""The twin of the DIAN, put together.

POST /_control/dian/taxpayers  {"nit", "name", "invoicePrefix", "posPrefix", ...}: a business may issue; the answer has
                               its certificate (PKCS#12 in base64), the password, its software's id and PIN, its ranges
Faults by operation: SendBillSync, SendBillAsync, SendTestSetAsync, GetStatus, GetStatusZip, GetNumberingRange.
Documents under their CUFE or CUDE; `decide` of a batch by its ZipKey or by the document's key.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from twins.authorities.base import Authority, Exchange, Ledger, control
from twins.authorities.dian.ca import TestAuthority, encoded
from twins.authorities.dian.service import BATCH, NUMBER, TAXPAYER, Dian
from twins.faults import FaultPlan
from twins.settings import TwinsSettings
from twins.store import Store

NAME = "dian"


class TaxpayerRequest(BaseModel):
    """nit: with or without its check digit. first, last: of both ranges. days: for which the certificate is still good;
    negative for one that has expired."""

    model_config = ConfigDict(extra="forbid")

    nit: Annotated[str, Field(pattern=r"^\d{6,10}(-\d)?$")]
    name: Annotated[str, Field(min_length=1, max_length=200)] = "Empresa de pruebas"
    invoicePrefix: Annotated[str, Field(pattern=r"^[A-Z0-9]{0,4}$")] = "SETP"
    posPrefix: Annotated[str, Field(pattern=r"^[A-Z0-9]{0,4}$")] = "POS"
    first: Annotated[int, Field(ge=1)] = 1
    last: Annotated[int, Field(ge=1)] = 5_000_000
    days: Annotated[int, Field(ge=-365, le=3650)] = 365


def build(_: TwinsSettings, store: Store) -> Authority:
    faults, ledger, authority = FaultPlan(), Ledger(store, NAME), TestAuthority(store)
    exchange, dian = Exchange(faults), Dian(store, ledger, authority)
    operations = {name: exchange.endpoint(name, work) for name, work in dian.operations.items()}
    router = APIRouter(prefix=f"/{NAME}")

    @router.post("/WcfDianCustomerServices.svc", response_model=None)
    async def service(request: Request) -> Response:
        operation = request.headers.get("Content-Type", "").rstrip('"').rpartition("/")[2]
        if operation not in operations:
            return Response("", 400)
        return await operations[operation](request)

    behind = APIRouter(prefix=f"/_control/{NAME}", tags=[NAME])

    @behind.post("/taxpayers", status_code=201)
    async def register(wanted: TaxpayerRequest) -> dict[str, Any]:
        nit, password = wanted.nit.partition("-")[0], secrets.token_hex(8)
        today = datetime.now(UTC).date()
        span = {
            "from": str(wanted.first),
            "to": str(wanted.last),
            "validFrom": (today - timedelta(days=400)).isoformat(),
            "validTo": (today + timedelta(days=400)).isoformat(),
        }
        ranges = [
            {"documentType": kind, "prefix": prefix, "resolution": resolution, "technicalKey": secrets.token_hex(20)}
            | span
            for kind, prefix, resolution in (
                ("01", wanted.invoicePrefix, "18760000001"),
                ("20", wanted.posPrefix, "18760000002"),
            )
        ]
        known = {"softwareId": str(uuid4()), "pin": f"{secrets.randbelow(90_000) + 10_000}", "ranges": ranges}
        store.put(TAXPAYER, nit, known)
        file = authority.issued(nit, wanted.name, password, wanted.days)
        return {"data": {**known, "certificate": encoded(file), "password": password}}

    kinds = (ledger.kind, TAXPAYER, BATCH, NUMBER)
    return Authority(NAME, "DIAN", faults, [router, behind, control(NAME, ledger, faults, dian.decide)], kinds)
