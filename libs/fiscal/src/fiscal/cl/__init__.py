"""Chile: documentos tributarios electrónicos of the Servicio de Impuestos Internos (SII).

Boleta 39 (41 where all of it is exempt), factura 33 (34) and nota de crédito 61. A folio comes from a CAF, seals the
document with the TED that is printed as PDF417, and is used up even by a document that is rejected. Documents travel in
signed envelopes, boletas to SII's REST service and the others by upload, and the decision is asked for.

Where from: SII's schemas DTE_v10 and EnvioBOLETA_v11, its sample of a TED, and its manuals of both services as quoted
by public libraries. Nothing of this was sent to SII. To be confirmed in its certification, settings where they can be:

* the context in which SII takes the digest of a document inside an envelope (we declare the same namespaces in both);
* which copy of EnvioBOLETA_v11 is current: two differ in RUTProvSW, which we leave out;
* the answer of the boleta service about one document (`estado`): only the codes of the older service are known;
* what certification and production call their keys (IDK 100 and 300);
* for how long a CAF of each type is good (FISCAL_CL_CAF_MONTHS).
"""
