"""SII of Chile: certificates and folios for its proving ground, documents taken, checked and decided."""
