"""The keys that sign access tokens, and their public halves for everyone."""
