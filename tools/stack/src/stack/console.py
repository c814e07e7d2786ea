"""What the person at the keyboard sees."""

import sys


def say(message: str) -> None:
    """One line of progress, on standard error, so that a command's own output stays clean."""
    print(f"cobro: {message}", file=sys.stderr, flush=True)
