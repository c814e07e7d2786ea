"""The businesses of a merchant."""
