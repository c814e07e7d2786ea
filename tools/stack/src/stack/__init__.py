"""Starts Cobro on one machine, with or without Docker: `python -m stack --help`."""
