"""What a made-up shop of each country tells its tax authority: certificates and numbers given out by the twin."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from stack.countries import Shop

# POST to a path of the twins' control API.
Control = Callable[[str, Mapping[str, object]], Awaitable[dict[str, Any]]]
Profile = Callable[[Shop, Control], Awaitable[dict[str, object]]]


@dataclass(frozen=True, slots=True)
class FiscalExample:
    """authority: its name. profile: gives the body of `PUT /fiscal-profiles/:businessId`, whose automaticIssue makes a
    document of every sale. buyer: where that does not, or a document that names somebody is more to look at: the
    `customer` of `POST /invoices`.
    """

    authority: str
    profile: Profile
    buyer: Mapping[str, object] | None = None


async def _argentina(shop: Shop, control: Control) -> dict[str, object]:
    given = await control("/_control/arca/certificates", {"cuit": shop.tax_id})
    return {
        "taxId": shop.tax_id,
        "legalName": shop.legal_name,
        "taxRegime": "1",
        "address": {"street": "Av. Corrientes 1234", "city": shop.city, "state": shop.state, "postalCode": "C1043AAZ"},
        "automaticIssue": True,
        "fields": {"pointOfSale": "3", "grossIncome": "901-123456-7", "activityStart": "2019-03-01"},
        "credentials": {"certificate": given["certificate"], "privateKey": given["privateKey"]},
    }


async def _chile(shop: Shop, control: Control) -> dict[str, object]:
    given = await control("/_control/sii/certificates", {"rut": "12345678-5", "name": "Lupita Torres"})
    folios = [
        await control("/_control/sii/cafs", {"rut": shop.tax_id, "name": shop.legal_name, "type": kind})
        for kind in (33, 39, 61)
    ]
    return {
        "taxId": shop.tax_id,
        "legalName": shop.legal_name,
        "address": {"street": "Irarrázaval 3450", "district": "Ñuñoa", "city": shop.city, "state": shop.state},
        "automaticIssue": True,
        "fields": {
            "activity": "Almacén de comestibles",
            "activityCode": "472101",
            "resolutionDate": "2014-08-22",
            "resolutionNumber": "0",
            "office": "Santiago Oriente",
        },
        "credentials": {"certificate": given["certificate"], "certificatePassword": given["password"]},
        "numbering": folios,
    }


async def _mexico(shop: Shop, control: Control) -> dict[str, object]:
    given = await control("/_control/mx/csd", {"rfc": shop.tax_id, "name": shop.legal_name.upper()})
    return {
        "taxId": shop.tax_id,
        "legalName": shop.legal_name,
        "taxRegime": "601",
        "address": {"street": "Av. Juárez 30", "city": shop.city, "state": shop.state, "postalCode": "06050"},
        "automaticIssue": True,
        "credentials": {name: given["data"][name] for name in ("certificate", "key", "keyPassword")},
    }


_MEXICAN_BUYER: Mapping[str, object] = {
    "name": "Xóchitl Casas Chávez",
    "taxId": "CACX7605101P8",
    "regime": "612",
    "use": "G03",
    "address": {"postalCode": "36257"},
}


async def _colombia(shop: Shop, control: Control) -> dict[str, object]:
    # The check digit is no part of the NIT as the DIAN keeps it.
    given = (await control("/_control/dian/taxpayers", {"nit": shop.tax_id[:-1], "name": shop.legal_name}))["data"]
    return {
        "taxId": shop.tax_id,
        "legalName": shop.legal_name,
        "taxRegime": "R-99-PN",
        "address": {
            "street": "Carrera 7 # 71-21",
            "city": shop.city,
            "cityCode": "11001",
            "state": "Bogotá D.C.",
            "postalCode": shop.postal_code,
        },
        "automaticIssue": True,
        "fields": {
            "softwareId": given["softwareId"],
            "invoicePrefix": "SETP",
            "posPrefix": "POS",
            "cashRegister": "CAJA-1",
        },
        "credentials": {
            "certificate": given["certificate"],
            "certificatePassword": given["password"],
            "softwarePin": given["pin"],
        },
        "numbering": given["ranges"],
    }


_EXAMPLES: Mapping[str, FiscalExample] = {
    "AR": FiscalExample("ARCA", _argentina),
    "CO": FiscalExample("DIAN", _colombia),
    "CL": FiscalExample("SII", _chile),
    "MX": FiscalExample("SAT", _mexico, _MEXICAN_BUYER),
}


def example_of(country: str) -> FiscalExample | None:
    """None where no authority is spoken to yet."""
    return _EXAMPLES.get(country)
