"""A voucher as the FeCAEReq of WSFEv1: what is stored before it is sent. Pure; runs in the workshop.

The elements come in the order of the service's schema, which refuses any other. Neither ticket nor any other secret is
in it: Auth is put around it when it is sent.
"""

from __future__ import annotations

from lxml import etree

from fiscal.ar.voucher import SERVICES, Voucher

NAMESPACE = "http://ar.gov.afip.dif.FEV1/"


def build(voucher: Voucher) -> bytes:
    request = etree.Element(_name("FeCAEReq"), nsmap={None: NAMESPACE})  # type: ignore[dict-item]
    head = _child(request, "FeCabReq")
    _texts(head, CantReg=1, PtoVta=voucher.point_of_sale, CbteTipo=voucher.type)
    detail = _child(_child(request, "FeDetReq"), "FECAEDetRequest")
    amounts, day = voucher.amounts, f"{voucher.day:%Y%m%d}"
    _texts(
        detail,
        Concepto=voucher.concept,
        DocTipo=voucher.id_type,
        DocNro=voucher.id_number,
        CbteDesde=voucher.number,
        CbteHasta=voucher.number,
        CbteFch=day,
        ImpTotal=amounts.total,
        ImpTotConc=amounts.untaxed,
        ImpNeto=amounts.net,
        ImpOpEx=amounts.exempt,
        ImpTrib="0.00",
        ImpIVA=amounts.vat,
    )
    if voucher.concept == SERVICES:
        _texts(detail, FchServDesde=day, FchServHasta=day, FchVtoPago=day)
    _texts(detail, MonId="PES", MonCotiz=1, CondicionIVAReceptorId=int(voucher.condition))
    taken_back = voucher.associated
    if taken_back is not None:
        _texts(
            _child(_child(detail, "CbtesAsoc"), "CbteAsoc"),
            Tipo=taken_back.type,
            PtoVta=taken_back.point_of_sale,
            Nro=taken_back.number,
            Cuit=taken_back.cuit,
            CbteFch=f"{taken_back.day:%Y%m%d}",
        )
    if amounts.groups:
        rates = _child(detail, "Iva")
        for group in amounts.groups:
            _texts(_child(rates, "AlicIva"), Id=group.rate_id, BaseImp=group.base, Importe=group.tax)
    return bytes(etree.tostring(request, encoding="UTF-8", xml_declaration=False))


def _name(tag: str) -> str:
    return f"{{{NAMESPACE}}}{tag}"


def _child(parent: etree._Element, tag: str) -> etree._Element:
    return etree.SubElement(parent, _name(tag))


def _texts(parent: etree._Element, **texts: object) -> None:
    for tag, value in texts.items():
        _child(parent, tag).text = str(value)
