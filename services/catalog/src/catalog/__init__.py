"""Products, stock per branch, and reservations."""
