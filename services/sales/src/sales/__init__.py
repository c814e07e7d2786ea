"""Sales, and their saga."""
