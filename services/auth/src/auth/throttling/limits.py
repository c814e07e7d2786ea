"""What is slowed down, and how soon.

A wrong guess is counted under up to three tallies, so that no single measure can be turned against a user:

- *pair*: this subject (a phone, say) from this address. Strict, and it stops only whoever guesses from there.
- *subject*: from all addresses together, for guessers with many. Softer, since it is what a stranger could use to
  keep a user out: its waits stay short.
- *address*: all subjects together, for those who try one password on many phones.

Whoever has been let in from an address before is *familiar* there for 30 days and is held to the pair's tally alone. So
neither strangers nor neighbours behind the same address can lock out somebody at their usual place; somewhere new they
may have to wait a minute, or reset the password with a code, which has tallies of its own and clears those of log-in.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from auth.throttling.backoff import Backoff

_MINUTE = 60_000
_QUARTER = 15 * _MINUTE


@dataclass(frozen=True, slots=True)
class Tallies:
    """pair, subject, address: None where there is no such limit."""

    name: str
    pair: Backoff | None = None
    subject: Backoff | None = None
    address: Backoff | None = None


_GUESSES = {
    "pair": Backoff(free=5, longest=_QUARTER),
    "subject": Backoff(free=30, longest=_MINUTE),
    "address": Backoff(free=50, longest=_QUARTER),
}


class Guess(Enum):
    """Things that can be guessed or asked for too often."""

    LOGIN = Tallies("login", **_GUESSES)
    # Only who holds an access token of the user gets this far.
    CURRENT_PASSWORD = Tallies("current_password", subject=Backoff(free=5, longest=_QUARTER))
    VERIFICATION_CODE = Tallies("verification_code", subject=Backoff(free=10, longest=_QUARTER))
    RESET_CODE = Tallies("reset_code", **_GUESSES)
    # How often each phone and e-mail address may be sent a code is decided in PostgreSQL, with the codes.
    CODE_REQUEST = Tallies("code_request", address=Backoff(free=20, longest=_QUARTER))
