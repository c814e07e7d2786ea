"""What is printed when a drawer is closed: the Z-report."""
