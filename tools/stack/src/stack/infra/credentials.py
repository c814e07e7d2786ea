"""The administrator's credentials of the three servers, as far as we start them ourselves."""

import secrets
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Credentials:
    """Passwords of 32 hexadecimal characters, so that they need no quoting in an address."""

    postgres: str = field(repr=False)
    rabbitmq: str = field(repr=False)
    redis: str = field(repr=False)
    user: str = "cobro_admin"

    @classmethod
    def random(cls) -> "Credentials":
        """New ones, for servers that are thrown away."""
        return cls(*(secrets.token_hex(16) for _ in range(3)))
