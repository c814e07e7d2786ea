"""What a till sold while it was offline."""
