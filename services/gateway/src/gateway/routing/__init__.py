"""Which service answers which path, and under which rules."""
