"""Drawers: what was counted in them, and what should have been."""
