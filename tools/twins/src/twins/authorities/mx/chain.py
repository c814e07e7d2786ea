"""The original chain of a CFDI 4.0 and of its stamp: Anexo 20's list of attributes, in its order, written out here.

It is not made with the stylesheet that those who seal use, so that both must be right to agree.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

NS = "{http://www.sat.gob.mx/cfd/4}"

_HEAD = [
    "Version",
    "Serie",
    "Folio",
    "Fecha",
    "FormaPago",
    "NoCertificado",
    "CondicionesDePago",
    "SubTotal",
    "Descuento",
    "Moneda",
    "TipoCambio",
    "Total",
    "TipoDeComprobante",
    "Exportacion",
    "MetodoPago",
    "LugarExpedicion",
    "Confirmacion",
]
_ISSUER = [
    "Rfc",
    "Nombre",
    "RegimenFiscal",
    "FacAtrAdquirente",
]
_RECEIVER = [
    "Rfc",
    "Nombre",
    "DomicilioFiscalReceptor",
    "ResidenciaFiscal",
    "NumRegIdTrib",
    "RegimenFiscalReceptor",
    "UsoCFDI",
]
_CONCEPT = [
    "ClaveProdServ",
    "NoIdentificacion",
    "Cantidad",
    "ClaveUnidad",
    "Unidad",
    "Descripcion",
    "ValorUnitario",
    "Importe",
    "Descuento",
    "ObjetoImp",
]
_TRANSFER = [
    "Base",
    "Impuesto",
    "TipoFactor",
    "TasaOCuota",
    "Importe",
]
_STAMP = [
    "Version",
    "UUID",
    "FechaTimbrado",
    "RfcProvCertif",
    "Leyenda",
    "SelloCFD",
    "NoCertificadoSAT",
]


def chain(root: etree._Element) -> bytes:
    """Of a document without retentions, third parties, customs or other complements, which the till has not."""
    return _joined(_values(root))


def stamp_chain(stamp: etree._Element) -> bytes:
    return _joined(_of(stamp, _STAMP))


def _values(root: etree._Element) -> Iterator[str]:
    yield from _of(root, _HEAD)
    for period in root.iterfind(f"{NS}InformacionGlobal"):
        yield from _of(period, ["Periodicidad", "Meses", "Año"])
    for related in root.iterfind(f"{NS}CfdiRelacionados"):
        yield from _of(related, ["TipoRelacion"])
        for one in related:
            yield from _of(one, ["UUID"])
    for issuer in root.iterfind(f"{NS}Emisor"):
        yield from _of(issuer, _ISSUER)
    for receiver in root.iterfind(f"{NS}Receptor"):
        yield from _of(receiver, _RECEIVER)
    for concept in root.iterfind(f"{NS}Conceptos/{NS}Concepto"):
        yield from _of(concept, _CONCEPT)
        for transfer in concept.iterfind(f"{NS}Impuestos/{NS}Traslados/{NS}Traslado"):
            yield from _of(transfer, _TRANSFER)
    for taxes in root.iterfind(f"{NS}Impuestos"):
        for transfer in taxes.iterfind(f"{NS}Traslados/{NS}Traslado"):
            yield from _of(transfer, _TRANSFER)
        yield from _of(taxes, ["TotalImpuestosTrasladados"])


def _of(element: etree._Element, names: list[str]) -> Iterator[str]:
    for name in names:
        value = element.get(name)
        if value is not None:
            yield " ".join(value.split())


def _joined(values: Iterator[str]) -> bytes:
    return f"||{'|'.join(values)}||".encode()
