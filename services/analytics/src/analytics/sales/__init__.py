"""Sales over time."""
