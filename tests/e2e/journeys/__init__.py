"""Journeys that a whole suite is left in peace for."""
