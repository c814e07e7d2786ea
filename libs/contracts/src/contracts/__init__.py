"""What services promise each other: generated gRPC code (`<service>/v1`) and domain events (`events`)."""
