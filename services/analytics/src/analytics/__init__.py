"""What the day brought: facts kept from events alone, and reports computed from them."""
