"""Colombia: UBL 2.1 documents of the DIAN, validated before they count: invoice 01, POS document 20, and their notes.

CUFE and CUDE are checked against the published vectors (annex 1.9, 11.2 and 11.4.3). What is known only from others'
sources and must be confirmed in the DIAN's habilitación before production: all that concerns POS documents and their
adjustment notes (annex 1.0: type codes, operation, order of extensions, file names, made here like an invoice's), the
rounding that is tolerated (two pesos), and whether the signature may name the signing certificate alone and not its
chain. Nothing of this has been sent to the DIAN.
"""
