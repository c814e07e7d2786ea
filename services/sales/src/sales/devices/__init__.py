"""Tills that sell while they are offline, and what of their numbered sales has not come in."""
