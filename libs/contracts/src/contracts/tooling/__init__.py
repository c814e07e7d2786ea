"""What `make protos`, `make contracts-check` and `make asyncapi` run."""
