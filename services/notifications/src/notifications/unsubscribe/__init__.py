"""The link by which a reader switches one kind of message off, without logging in."""
