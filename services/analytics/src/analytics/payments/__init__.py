"""Payments: how they are made, and how many of them succeed."""
