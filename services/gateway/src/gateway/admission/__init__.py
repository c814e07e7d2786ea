"""Who may pass: rate limits and revoked sessions, in one Redis round trip."""
