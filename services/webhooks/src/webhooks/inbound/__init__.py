"""Notifications of payment providers."""
