"""Mexico: CFDI 4.0, stamped by an authorised provider (PAC) on behalf of the tax authority (SAT).

What is known only from others' sources and must be confirmed in a PAC's sandbox before production: the PACs' checks of
six-decimal lines (CFDI40108, 40167, 40215, 40221), how SW Sapien is asked for a document by its customid, and which code
Finkok gives for a document it has not stamped. Each is a setting or named where it is used.
"""
