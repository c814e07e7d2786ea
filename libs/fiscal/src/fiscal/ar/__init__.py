"""Argentina: CAE of ARCA (formerly AFIP) by WSFEv1, with tickets of WSAA.

Built from the services' published manuals as others quote them, and run against a twin alone: nothing here has been
sent to ARCA. Not settled, and to be tried in homologación first:

* by how much the VAT of a rate may differ from its base times the rate; `amounts` stays within one centavo;
* for how long WSAA refuses a second ticket while one is good; we ask for one, and wait when it is refused;
* whether servicios1.afip.gov.ar still needs SECLEVEL=1 (FISCAL_AR_WEAK_TLS_HOSTS);
* the amount from which a final consumer must be named (FISCAL_AR_IDENTIFIED_FROM), which changes by resolution.

CAEA, the code for working without a connection, is not supported: documents wait for the authority.
"""
