"""Mexico: CFDI 4.0, stamped by an authorised provider (PAC) on behalf of the tax authority (SAT).

Known only from others' sources, and to be confirmed in a PAC's sandbox before production: the PACs' checks of lines of
six decimals (CFDI40108, 40167, 40215, 40221), how SW Sapien is asked for a document by its customid, which code Finkok
gives for a document it has not stamped, and whether a credit note to the public at large must tell its period. Each is
a setting, or named where it is used.
"""
