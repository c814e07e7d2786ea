"""Sums of facts by hour and by day, made by a job and made again whenever a fact of their day changes."""
