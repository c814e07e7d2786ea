"""What merchants' endpoints are sent, and what they answered."""
