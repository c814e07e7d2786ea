"""Webhooks in from the payment providers: verified, stored once, published."""
