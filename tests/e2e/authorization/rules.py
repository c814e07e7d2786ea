"""Who there is, which kinds of operations there are, and what each gets told by each."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Persona(StrEnum):
    """Seen from the business whose things are asked for."""

    NOBODY = "without a token"
    MALFORMED = "with a malformed token"
    EXPIRED = "with an expired token"
    ENDED = "with the token of an ended session"
    STALE = "with the token of a removed member"
    ADMIN = "as administrator"
    OWNER = "as owner"
    EMPLOYEE = "as employee of the branch"
    COLLEAGUE = "as employee of another branch"
    FOREIGN_OWNER = "as owner of another business"
    FOREIGN_EMPLOYEE = "as employee of another business"
    CUSTOMER = "as customer"


class Rule(StrEnum):
    """What decides who may call an operation."""

    PUBLIC = "anybody, also without a token, or with a bad one"
    SELF = "any caller, for what is their own"
    MERCHANT = "whoever may open businesses"
    MEMBER = "whoever belongs to the business"
    BRANCH = "whoever works at the branch"
    OWNER = "the owner of the business"
    PERSON = "the one whom it belongs to"
    PERSON_OR_ADMIN = "the one whom it belongs to, or an administrator"
    ADMIN = "administrators"


OK: Final = 0
"""Any status below 400."""

_UNAUTHENTICATED: Final = {
    Persona.NOBODY: 401,
    Persona.MALFORMED: 401,
    Persona.EXPIRED: 401,
    Persona.ENDED: 401,
    Persona.STALE: 401,
}
CODES: Final[Mapping[Persona, frozenset[str]]] = {
    Persona.NOBODY: frozenset({"token_missing"}),
    Persona.MALFORMED: frozenset({"token_invalid"}),
    Persona.EXPIRED: frozenset({"token_expired"}),
    Persona.ENDED: frozenset({"session_revoked", "session_ended"}),
    Persona.STALE: frozenset({"token_stale"}),
}
FOREIGNERS: Final = (Persona.FOREIGN_OWNER, Persona.FOREIGN_EMPLOYEE, Persona.CUSTOMER)


def _told(admin: int, owner: int, employee: int, colleague: int, foreigners: int) -> dict[Persona, int]:
    return {
        **_UNAUTHENTICATED,
        Persona.ADMIN: admin,
        Persona.OWNER: owner,
        Persona.EMPLOYEE: employee,
        Persona.COLLEAGUE: colleague,
        **dict.fromkeys(FOREIGNERS, foreigners),
    }


EXPECTED: Final[Mapping[Rule, Mapping[Persona, int]]] = {
    Rule.PUBLIC: dict.fromkeys(Persona, OK),
    Rule.SELF: _told(OK, OK, OK, OK, OK),
    Rule.MERCHANT: _told(OK, OK, OK, OK, OK) | {Persona.CUSTOMER: 403},
    Rule.MEMBER: _told(OK, OK, OK, OK, 404),
    Rule.BRANCH: _told(OK, OK, OK, 403, 404),
    Rule.OWNER: _told(OK, OK, 403, 403, 404),
    Rule.PERSON: _told(404, OK, 404, 404, 404),
    Rule.PERSON_OR_ADMIN: _told(OK, OK, 404, 404, 404),
    Rule.ADMIN: _told(OK, 403, 403, 403, 403),
}
