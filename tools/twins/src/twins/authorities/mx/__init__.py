"""Mexico: two PACs (SW Sapien in REST, Finkok in SOAP) and SAT's query, in one twin with one book each."""
