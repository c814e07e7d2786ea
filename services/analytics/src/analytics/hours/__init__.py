"""When the shop is busy."""
