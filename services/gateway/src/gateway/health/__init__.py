"""What the public may know of the suite's state."""
