"""Who may do what, shown for every documented operation; and that the API keeps to its own document."""
