"""The sale: reserved, paid, completed or taken back, whatever fails in between."""
