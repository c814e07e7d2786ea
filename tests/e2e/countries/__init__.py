"""Every country by its own provider: one suite, in which all of them sell at the same time."""
