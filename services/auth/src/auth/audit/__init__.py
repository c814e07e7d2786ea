"""The append-only log of every change that matters to security: who, what, before, after, when, from where."""
