"""Whose rows the running task may touch: the second barrier behind `Access`, enforced by PostgreSQL's row-level
security.

Where the identity is established, and only there, a scope is set; every statement of the task then carries it. It comes
from the *verified caller*, never from what the query asks for, so that a forgotten WHERE or a forgotten check leaks
nothing. Without a scope there are no rows.

    who                        scope                                              set by
    a bearer's request         the token's businesses, and the user               `Caller` (chassis.http.app)
    … of an administrator      everyone                                           `Caller`
    … for a business joined    that business too, once auth has confirmed it      `Access`
      after the token
    a consumer                 the event's business; everyone for one without     the bus
    a gRPC call                the request's `business_id`, where it has one      the server
    jobs, relay, migrations    everyone                                           the chassis
    a public route             nobody                                             whatever the route opens by hand

`only(business_id)`, `as_user(user_id)` and `everyone()` open a scope by hand. `everyone()` lifts the barrier, so each
use is worth finding: grep for it.

A scope is read when a transaction begins, or a statement that is its own transaction is sent: open it around them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

EVERYONE_SETTING: Final = "*"


@dataclass(frozen=True, slots=True)
class Tenancy:
    """everyone: every tenant's rows, and then `businesses` adds nothing."""

    user_id: UUID | None = None
    businesses: frozenset[UUID] = frozenset()
    everyone: bool = False

    def covers(self, business_id: UUID) -> bool:
        """For what lies outside PostgreSQL, such as figures in a cache: no policy guards it."""
        return self.everyone or business_id in self.businesses

    @property
    def tenants_setting(self) -> str:
        """The PostgreSQL setting `cobro.tenants`: nothing, `*`, or UUIDs with commas between. Safe inside quotes."""
        return EVERYONE_SETTING if self.everyone else ",".join(sorted(map(str, self.businesses)))

    @property
    def user_setting(self) -> str:
        """The PostgreSQL setting `cobro.user`: nothing or a UUID. Safe inside quotes."""
        return "" if self.user_id is None else str(self.user_id)


NOBODY: Final = Tenancy()
_current: ContextVar[Tenancy] = ContextVar("cobro_tenancy", default=NOBODY)


def current() -> Tenancy:
    return _current.get()


def enter(tenancy: Tenancy) -> None:
    """For the rest of this task. For the edges, which end with their task or within a `scope`."""
    _current.set(tenancy)


def admit(business_ids: Iterable[UUID]) -> bool:
    """Add businesses that auth has confirmed to be the caller's, for the rest of this task. False: all were in it."""
    now = _current.get()
    wider = now.businesses.union(business_ids)
    if now.everyone or wider == now.businesses:
        return False
    _current.set(replace(now, businesses=wider))
    return True


@contextmanager
def scope(tenancy: Tenancy) -> Iterator[None]:
    """What the block sets by `enter` and `admit` ends with it, too."""
    token = _current.set(tenancy)
    try:
        yield
    finally:
        _current.reset(token)


def only(*business_ids: UUID) -> AbstractContextManager[None]:
    """The rows of these businesses, on behalf of no user."""
    return scope(Tenancy(businesses=frozenset(business_ids)))


def as_user(user_id: UUID) -> AbstractContextManager[None]:
    """What belongs to one user and to no business."""
    return scope(Tenancy(user_id=user_id))


def on_behalf_of(user_id: UUID) -> AbstractContextManager[None]:
    """The present scope, and what belongs to this user: their request is carried on after it has ended."""
    return scope(replace(_current.get(), user_id=user_id))


def everyone() -> AbstractContextManager[None]:
    """All rows: work of the system itself, or a look-up by a secret that is itself the right to read."""
    return scope(Tenancy(everyone=True))
