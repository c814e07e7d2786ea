"""Facts made again from the log of events, while readers go on with the old ones (ADR 12)."""
