"""Journeys through the gateway of a running suite, and what breaks them."""
