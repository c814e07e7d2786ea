"""Where providers report what became of messages they had taken on. Signed, or refused."""
