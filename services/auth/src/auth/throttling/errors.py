"""Errors about attempts that come too soon."""

from __future__ import annotations

from kernel import RateLimited

from auth.throttling.limits import Guess


def throttled(guess: Guess, retry_after: int) -> RateLimited:
    """retry_after: seconds. Says the same of users who exist and of those who do not."""
    code = "login_throttled" if guess is Guess.LOGIN else "attempts_throttled"
    return RateLimited("Too many attempts; wait before the next", code=code, retry_after=retry_after)
