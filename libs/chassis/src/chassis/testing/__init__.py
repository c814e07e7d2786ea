"""What tests of a service stand on: a migrated database, tokens, a directory, a clock, the service in-process."""
