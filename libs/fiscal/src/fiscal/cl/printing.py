"""What has to be read on a Chilean document: the box with RUT, name and folio, the seal and where to verify it."""

from __future__ import annotations

from fiscal.cl import kinds, rut
from fiscal.cl.document import seal_text
from fiscal.document import Address, DocumentKind, FiscalDocument
from fiscal.profile import IssuerProfile
from fiscal.provider import CodeKind, Prepared, Printed, PrintedCode


def printed(issuer: IssuerProfile, document: FiscalDocument, prepared: Prepared) -> Printed:
    net, exempt, tax = kinds.amounts(document)
    fields = issuer.fields
    facts = [("Giro", fields["activity"]), ("Casa matriz", _place(issuer.address))]
    receiver = document.receiver
    if receiver is not None and document.kind is not DocumentKind.TICKET:
        facts += [
            (label, value)
            for label, value in (
                ("Giro del receptor", receiver.use),
                ("Dirección del receptor", _place(receiver.address)),
            )
            if value
        ]
    if prepared.document_type not in kinds.BOLETAS:
        facts += [(name, _pesos(amount.minor)) for name, amount in (("Neto", net), ("Exento", exempt)) if amount]
    if document.reference is not None:
        reference = document.reference
        name = kinds.TITLES.get(reference.document_type, reference.document_type).capitalize()
        facts.append(("Referencia", f"{name} Nº {reference.number} del {reference.issued_on:%d-%m-%Y}"))
    resolution = f"Res. {fields['resolutionNumber']} de {fields['resolutionDate'][:4]}"
    texts = [f"El IVA de esta boleta es {_pesos(tax.minor)}."] if prepared.document_type == kinds.BOLETA else []
    return Printed(
        kinds.TITLES[prepared.document_type],
        facts=tuple(facts),
        code=PrintedCode(CodeKind.PDF417, seal_text(prepared.payload)),
        caption=("Timbre Electrónico SII", f"{resolution} · Verifique documento: www.sii.cl"),
        frame=(
            f"R.U.T.: {rut.pointed(issuer.tax_id)}",
            kinds.TITLES[prepared.document_type],
            f"Nº {prepared.number}",
        ),
        below_frame=f"S.I.I. - {fields['office'].upper()}",
        texts=tuple(texts),
        taxes=((kinds.RATE, tax),) if tax else (),
    )


def _place(address: Address) -> str:
    parts = (address.street, address.district, address.city)
    return ", ".join(part for place, part in enumerate(parts) if part and part not in parts[:place])


def _pesos(amount: int) -> str:
    return f"${amount:,}".replace(",", ".")
