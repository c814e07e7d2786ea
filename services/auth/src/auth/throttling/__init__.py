"""Slowing down whoever guesses: passwords, codes, and who is registered."""
