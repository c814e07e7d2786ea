"""News that come in swarms, gathered into one message: what a shop runs out of."""
