"""Goods held for a sale until it is paid, asked for by sales over gRPC."""
