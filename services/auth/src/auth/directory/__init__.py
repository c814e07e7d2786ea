"""What other services may ask over gRPC about businesses, branches and memberships."""
