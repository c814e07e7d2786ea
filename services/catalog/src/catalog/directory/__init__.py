"""Keeps the cached businesses and branches of auth fresh."""
