"""Passwords: which are accepted, how they are kept, how they are changed, and what to do when one is forgotten."""
