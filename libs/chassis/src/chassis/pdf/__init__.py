"""Documents as PDF, for services that draw them: install `cobro-chassis[pdf]`.

`drawing` and `pages` import reportlab, which costs 25 MiB: load them with the first document, not before.
"""
