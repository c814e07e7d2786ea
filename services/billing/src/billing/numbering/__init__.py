"""Numbers without gaps and doubles, and without a lock that everyone waits for.

A series gives its numbers out in blocks (`refill`, a few milliseconds under the series' row); a document takes the
lowest one that nobody else is taking (`take`, its own row alone) in the transaction that stores its bytes. Where that
transaction does not commit the number lies there as before, so no gap remains, and whoever comes next takes it.

Of an authority that counts itself a series has one holder at a time (`hold`), for as long as its document is under way.
"""
