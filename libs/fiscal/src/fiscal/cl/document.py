"""A document of ours as the <Documento> of a DTE, up to the place of its seal. Pure, text only.

Prices are gross, as at the till: boletas have them so by default, the others by MntBruto 1. Nothing of a line is
computed: what was charged is MontoItem.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from fiscal.cl import kinds, rut
from fiscal.cl.emitter import Emitter
from fiscal.cl.text import element, sealed
from fiscal.document import DocumentKind, FiscalDocument, Line
from fiscal.errors import Message, Rejected

_FINAL_CONSUMER: Final = "CONSUMIDOR FINAL"
_QUANTITY_DECIMALS: Final = -6
# Of a price or quantity in the schema (Dec12_6Type).
_MOST: Final = Decimal(10) ** 12
_SOLD: Final = "3"
_CASH: Final = "1"
_VOIDS, _CORRECTS_AMOUNTS = "1", "3"


@dataclass(frozen=True, slots=True)
class Draft:
    """before, after: the <Documento> around its TED. data: what the TED seals, up to the place of its CAF. moment: of
    the signature, in the business's time."""

    id: str
    before: str
    after: str
    data: str
    moment: str


def local_id(document_type: str, folio: int) -> str:
    """The id by which a signature points to a document, and its fiscal id: a folio of a type is issued once."""
    return f"T{document_type}F{folio}"


def draft(emitter: Emitter, document: FiscalDocument, document_type: str, folio: int) -> Draft:
    """Raises Rejected."""
    net, exempt, tax = kinds.amounts(document)
    total = net + exempt + tax
    if total != document.total:
        raise Rejected([Message("total", "El total no es la suma de las líneas")])
    moment = document.local_time.strftime("%Y-%m-%dT%H:%M:%S")
    boleta = document_type in kinds.BOLETAS
    receiver = _receiver(document, boleta)
    head = (
        f"<Encabezado>{_id(document, document_type, folio, boleta)}{_emitter(emitter, boleta)}{receiver}"
        f"{_totals(net.minor, exempt.minor, tax.minor, boleta)}</Encabezado>"
    )
    lines = "".join(_line(number, line) for number, line in enumerate(document.lines, start=1))
    id = local_id(document_type, folio)
    name = document.receiver.name if document.receiver else _FINAL_CONSUMER
    data = (
        f"<RE>{emitter.tax_id}</RE><TD>{document_type}</TD><F>{folio}</F><FE>{moment[:10]}</FE>"
        f"<RR>{_receiver_id(document)}</RR>{sealed('RSR', name, 40)}<MNT>{total.minor}</MNT>"
        f"{sealed('IT1', document.lines[0].description if document.lines else '', 40)}"
    )
    return Draft(
        id=id,
        before=f'<Documento ID="{id}">{head}{lines}{_reference(document)}',
        after=f"<TmstFirma>{moment}</TmstFirma></Documento>",
        data=data,
        moment=moment,
    )


def _id(document: FiscalDocument, document_type: str, folio: int, boleta: bool) -> str:
    common = (
        f"<TipoDTE>{document_type}</TipoDTE><Folio>{folio}</Folio>"
        f"<FchEmis>{document.local_time.date().isoformat()}</FchEmis>"
    )
    if boleta:
        return f"<IdDoc>{common}<IndServicio>{_SOLD}</IndServicio></IdDoc>"
    paid = f"<FmaPago>{_CASH}</FmaPago>" if document.kind is DocumentKind.INVOICE else ""
    return f"<IdDoc>{common}<MntBruto>1</MntBruto>{paid}</IdDoc>"


def _emitter(emitter: Emitter, boleta: bool) -> str:
    address = (
        element("CdgSIISucur", emitter.branch_code)
        + element("DirOrigen", emitter.street, 60)
        + element("CmnaOrigen", emitter.commune, 20)
        + element("CiudadOrigen", emitter.city, 20)
    )
    who = f"<RUTEmisor>{emitter.tax_id}</RUTEmisor>"
    if boleta:
        names = element("RznSocEmisor", emitter.legal_name, 100) + element("GiroEmisor", emitter.activity, 80)
    else:
        names = element("RznSoc", emitter.legal_name, 100) + element("GiroEmis", emitter.activity, 80)
        names += f"<Acteco>{emitter.activity_code}</Acteco>"
    return f"<Emisor>{who}{names}{address}</Emisor>"


def _receiver_id(document: FiscalDocument) -> str:
    found = rut.parse(document.receiver.tax_id) if document.receiver else None
    return found or rut.ANONYMOUS


def _receiver(document: FiscalDocument, boleta: bool) -> str:
    who = f"<RUTRecep>{_receiver_id(document)}</RUTRecep>"
    receiver = document.receiver
    if receiver is None:
        return f"<Receptor>{who}{element('RznSocRecep', _FINAL_CONSUMER)}</Receptor>"
    address = receiver.address
    return (
        f"<Receptor>{who}{element('RznSocRecep', receiver.name, 100)}"
        f"{'' if boleta else element('GiroRecep', receiver.use, 40)}"
        f"{element('DirRecep', address.street, 70)}"
        f"{element('CmnaRecep', address.district or address.city, 20)}{element('CiudadRecep', address.city, 20)}"
        "</Receptor>"
    )


def _totals(net: int, exempt: int, tax: int, boleta: bool) -> str:
    taxed = net or tax
    rate = "" if boleta or not taxed else f"<TasaIVA>{(kinds.RATE * 100).normalize():f}</TasaIVA>"
    return (
        "<Totales>"
        + (f"<MntNeto>{net}</MntNeto>" if taxed else "")
        + (f"<MntExe>{exempt}</MntExe>" if exempt or not taxed else "")
        + rate
        + (f"<IVA>{tax}</IVA>" if taxed else "")
        + f"<MntTotal>{net + exempt + tax}</MntTotal></Totales>"
    )


def _line(number: int, line: Line) -> str:
    code = (
        f"<CdgItem><TpoCodigo>INT1</TpoCodigo>{element('VlrCodigo', line.sku, 35)}</CdgItem>"
        if element("VlrCodigo", line.sku, 35)
        else ""
    )
    name = element("NmbItem", line.description, 80) or "<NmbItem>-</NmbItem>"
    exempt = "" if kinds.is_taxed(line) else "<IndExe>1</IndExe>"
    discount = f"<DescuentoMonto>{line.discount.minor}</DescuentoMonto>" if line.discount else ""
    return (
        f"<Detalle><NroLinDet>{number}</NroLinDet>{code}{exempt}{name}{_price(line)}{discount}"
        f"<MontoItem>{line.gross.minor}</MontoItem></Detalle>"
    )


def _price(line: Line) -> str:
    """Quantity and unit price; neither where the schema has no room for them, for only the amount is required."""
    quantity = line.quantity.normalize()
    exponent = quantity.as_tuple().exponent
    assert isinstance(exponent, int)
    if exponent < _QUANTITY_DECIMALS or not line.unit_price or max(quantity, line.unit_price.decimal) >= _MOST:
        return ""
    return f"<QtyItem>{quantity:f}</QtyItem><PrcItem>{line.unit_price.minor}</PrcItem>"


def _reference(document: FiscalDocument) -> str:
    reference = document.reference
    if reference is None:
        return ""
    code, reason = "", element("RazonRef", reference.reason, 90)
    if document.kind is DocumentKind.CREDIT_NOTE:
        # What is left after another note voids nothing: to SII that is one of the whole amount.
        voids = reference.full and reference.total in (None, document.total)
        code = f"<CodRef>{_VOIDS if voids else _CORRECTS_AMOUNTS}</CodRef>"
        reason = reason or element("RazonRef", "Anula documento de referencia" if voids else "Devolución parcial")
    return (
        f"<Referencia><NroLinRef>1</NroLinRef><TpoDocRef>{reference.document_type}</TpoDocRef>"
        f"<FolioRef>{reference.number}</FolioRef><FchRef>{reference.issued_on.isoformat()}</FchRef>{code}{reason}"
        "</Referencia>"
    )


@dataclass(frozen=True, slots=True)
class Sealed:
    """What SII is asked for of one document. issued_on: YYYY-MM-DD. total: pesos."""

    issuer: str
    document_type: str
    folio: int
    receiver: str
    issued_on: str
    total: int


_SEAL: Final = re.compile(
    rb"<DD><RE>([0-9K-]+)</RE><TD>(\d+)</TD><F>(\d+)</F><FE>([0-9-]+)</FE><RR>([0-9K-]+)</RR>.*?<MNT>(\d+)</MNT>"
)


def sealed_in(payload: bytes) -> Sealed:
    """Of a document of ours."""
    found = _SEAL.search(payload)
    assert found is not None
    issuer, kind, folio, day, receiver, total = (part.decode() for part in found.groups())
    return Sealed(issuer, kind, int(folio), receiver, day, int(total))


def seal_text(payload: bytes) -> str:
    """The TED: what its PDF417 says."""
    start, end = payload.index(b"<TED "), payload.index(b"</TED>") + len(b"</TED>")
    return payload[start:end].decode("latin-1")
