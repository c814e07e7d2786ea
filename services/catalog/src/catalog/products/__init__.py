"""What a merchant sells: name, price, tax, and how it is found."""
