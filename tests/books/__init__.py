"""Sales and catalog together, each real on PostgreSQL of its own, and payments played at the gRPC seam."""
