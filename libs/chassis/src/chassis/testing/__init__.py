"""What tests of a service stand on: a migrated database, tokens, a directory, a clock, and the service itself in-process."""
