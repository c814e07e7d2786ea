"""The week in figures, for the owner."""
