"""What a user belongs to, and is invited to."""
