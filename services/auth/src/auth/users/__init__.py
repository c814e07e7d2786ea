"""People: registration, their password, their profile."""
