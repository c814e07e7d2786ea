"""Drawers at a branch, and the one way in which sales reach what lies in them."""
