"""Bytes to the services and back."""
