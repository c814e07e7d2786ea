"""gRPC between services: server, channels, identity, deadlines, error translation."""
