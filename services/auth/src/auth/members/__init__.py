"""Who belongs to which business, as what."""
