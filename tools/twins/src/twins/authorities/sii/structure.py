"""What a document and its envelope must look like: names, order, and what must be there. Written from SII's schemas,
for what shops issue; what is not named here is refused."""

from __future__ import annotations

from typing import Final

from lxml import etree

NS: Final = "http://www.sii.cl/SiiDte"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"

_ADDRESS: Final = "CdgSIISucur? DirOrigen? CmnaOrigen? CiudadOrigen?"
_RECEIVER: Final = "DirRecep? CmnaRecep? CiudadRecep?"
_DETAIL: Final = (
    "NroLinDet CdgItem* IndExe? NmbItem DscItem? QtyItem? UnmdItem? PrcItem? DescuentoPct? DescuentoMonto? MontoItem"
)
_COMMON: Final = {
    "EnvioBOLETA": "SetDTE Signature",
    "EnvioDTE": "SetDTE Signature",
    "SetDTE": "Caratula DTE+",
    "Caratula": "RutEmisor RutEnvia RutReceptor FchResol NroResol TmstFirmaEnv SubTotDTE+",
    "SubTotDTE": "TpoDTE NroDTE",
    "DTE": "Documento Signature",
    "Encabezado": "IdDoc Emisor Receptor Totales",
    "CdgItem": "TpoCodigo VlrCodigo",
    "TED": "DD FRMT",
    "DD": "RE TD F FE RR RSR MNT IT1 CAF TSTED",
    "CAF": "DA FRMA",
    "DA": "RE RS TD RNG FA RSAPK IDK",
    "RNG": "D H",
    "RSAPK": "M E",
    "Signature": "SignedInfo SignatureValue KeyInfo",
    "SignedInfo": "CanonicalizationMethod SignatureMethod Reference",
    "Reference": "Transforms DigestMethod DigestValue",
    "Transforms": "Transform",
    "KeyInfo": "KeyValue X509Data",
    "KeyValue": "RSAKeyValue",
    "RSAKeyValue": "Modulus Exponent",
    "X509Data": "X509Certificate",
    "Detalle": _DETAIL,
}
BOLETA: Final = {
    **_COMMON,
    "Documento": "Encabezado Detalle* TED TmstFirma",
    "IdDoc": "TipoDTE Folio FchEmis IndServicio IndMntNeto?",
    "Emisor": f"RUTEmisor RznSocEmisor? GiroEmisor? {_ADDRESS}",
    "Receptor": f"RUTRecep RznSocRecep? {_RECEIVER}",
    "Totales": "MntNeto? MntExe? IVA? MntTotal",
}
DTE: Final = {
    **_COMMON,
    "Documento": "Encabezado Detalle+ Referencia* TED TmstFirma",
    "IdDoc": "TipoDTE Folio FchEmis MntBruto? FmaPago?",
    "Emisor": f"RUTEmisor RznSoc GiroEmis Acteco+ {_ADDRESS}",
    "Receptor": f"RUTRecep RznSocRecep GiroRecep? {_RECEIVER}",
    "Totales": "MntNeto? MntExe? TasaIVA? IVA? MntTotal",
    "Referencia": "NroLinRef TpoDocRef FolioRef FchRef CodRef? RazonRef?",
}
_LONGEST: Final = {
    "RznSocEmisor": 100, "RznSoc": 100, "RznSocRecep": 100, "GiroEmisor": 80, "GiroEmis": 80, "GiroRecep": 40,
    "DirOrigen": 60, "DirRecep": 70, "CmnaOrigen": 20, "CmnaRecep": 20, "CiudadOrigen": 20, "CiudadRecep": 20,
    "NmbItem": 80, "VlrCodigo": 35, "RSR": 40, "IT1": 40, "RazonRef": 90,
}  # fmt: skip


def problem(element: etree._Element, rules: dict[str, str]) -> str:
    """The first thing that is wrong here or below, else empty."""
    name = etree.QName(element).localname
    children = [child for child in element if isinstance(child.tag, str)]
    if name not in rules:
        if children:
            return f"{name}: no se esperaba contenido"
        text = element.text or ""
        empty = not text.strip() and not element.attrib
        return f"{name}: largo" if empty or len(text) > _LONGEST.get(name, 10**6) else ""
    left = [etree.QName(child).localname for child in children]
    for part in rules[name].split():
        wanted, count = part.rstrip("?*+"), 0
        while left and left[0] == wanted and (count == 0 or part[-1] in "*+"):
            left.pop(0)
            count += 1
        if count == 0 and part[-1] not in "?*":
            return f"{name}: falta {wanted}"
    if left:
        return f"{name}: no se esperaba {left[0]}"
    return next((found for child in children if (found := problem(child, rules))), "")
