"""How a business wants its catalogue kept."""
