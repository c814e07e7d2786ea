"""How many of a product lie in each branch, and every movement that made it so."""
