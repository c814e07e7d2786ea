"""Tickets of authorities, kept encrypted where every process finds them."""
