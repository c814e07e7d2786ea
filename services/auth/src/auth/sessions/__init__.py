"""Log-in, rotation of refresh tokens, log-out, and whether a session may still be used."""
