"""The figures of some days at a glance."""
