"""The week in figures, told to the owner on Monday morning."""
