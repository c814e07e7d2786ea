"""What the person at the keyboard sees."""

import sys


def say(message: str) -> None:
    """Progress, on standard error, so that a command's own output stays clean."""
    print(f"cobro: {message}", file=sys.stderr, flush=True)


def show(text: str) -> None:
    """The answer to what was asked, on standard output."""
    print(text, flush=True)
