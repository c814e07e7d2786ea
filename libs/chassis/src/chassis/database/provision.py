"""Making a database with one schema and two roles per service, so that no service can read another's data.

`<service>_owner` owns the schema `<service>` and runs its migrations; `<service>_app` is what the service connects as:
it owns nothing, reads and writes rows, and row-level security applies to it. The statements are in the two `.sql` files
beside this one. Run once per deployment by an administrator, and safe to run again, also by several at once.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

# Roles belong to the whole server, so that runs for different databases collide too ("tuple concurrently updated").
_LOCK_KEY = 0x636F62726F
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_PLACEHOLDER = re.compile(r""":(?:"(?P<identifier>\w+)"|'(?P<literal>\w+)')""")


async def provision(admin_url: str, *, database: str, services: Sequence[str], password: Callable[[str], str]) -> None:
    """Create the database, the extensions, and every service's schema and roles where they are missing.

    Args:
        admin_url: `postgresql://user:password@host:port/database` of a role that may create databases and roles.
        password: gives the password of a role by its name; it is set again at each run.

    Raises:
        ValueError: a name that is not a plain lower-case identifier, or an empty password.
        asyncpg.PostgresError: the server refused.
    """
    for name in (database, *services):
        _check_name(name)
    server = await asyncpg.connect(admin_url)
    try:
        await server.execute("SELECT pg_advisory_lock($1)", _LOCK_KEY)
        if not await server.fetchval("SELECT true FROM pg_database WHERE datname = $1", database):
            await server.execute(f"CREATE DATABASE {quote_identifier(database)} TEMPLATE template0 ENCODING 'UTF8'")
        await _provision_schemas(_with_database(admin_url, database), database, services, password)
    finally:
        # Closing the session gives the lock back.
        await server.close()


async def _provision_schemas(url: str, database: str, services: Sequence[str], password: Callable[[str], str]) -> None:
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute(render(_statements("provision_database.sql"), {"database": database}))
        for service in services:
            owner, app = owner_role(service), app_role(service)
            values = {
                "database": database,
                "schema": service,
                "owner": owner,
                "app": app,
                "owner_password": _password_of(owner, password),
                "app_password": _password_of(app, password),
            }
            async with connection.transaction():
                await connection.execute(render(_statements("provision_service.sql"), values))
    finally:
        await connection.close()


def owner_role(service: str) -> str:
    """The role that owns a service's schema."""
    return f"{service}_owner"


def app_role(service: str) -> str:
    """The role a service connects as."""
    return f"{service}_app"


def owner_url(admin_url: str, database: str, service: str, password: Callable[[str], str]) -> str:
    """Address for a service's migrations."""
    return _with_database(admin_url, database, owner_role(service), password)


def app_url(admin_url: str, database: str, service: str, password: Callable[[str], str]) -> str:
    """Address a service connects to."""
    return _with_database(admin_url, database, app_role(service), password)


def render(statements: str, values: Mapping[str, str]) -> str:
    """Replace :"name" by a quoted identifier and :'name' by a quoted literal.

    Raises:
        KeyError: a placeholder without a value.
        ValueError: a value no PostgreSQL text can hold, or one that would end a `$$` body early.
    """

    def replace(match: re.Match[str]) -> str:
        if name := match["identifier"]:
            return quote_identifier(values[name])
        return quote_literal(values[match["literal"]])

    return _PLACEHOLDER.sub(replace, statements)


def quote_identifier(name: str) -> str:
    """A name as SQL writes it."""
    _refuse_unquotable(name)
    return '"' + name.replace('"', '""') + '"'


def quote_literal(value: str) -> str:
    """A text as SQL writes it, whatever `standard_conforming_strings` says."""
    _refuse_unquotable(value)
    quoted = "'" + value.replace("'", "''").replace("\\", "\\\\") + "'"
    return f" E{quoted}" if "\\" in value else quoted


def _refuse_unquotable(value: str) -> None:
    if "\x00" in value or "$$" in value:
        raise ValueError("neither a zero byte nor two dollar signs in a row may appear in a name or password")


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a name of lower-case letters, digits and underscores")


def _password_of(role: str, password: Callable[[str], str]) -> str:
    value = password(role)
    if not value:
        raise ValueError(f"the password of {role} is empty")
    return value


def _statements(name: str) -> str:
    return resources.files("chassis.database").joinpath(name).read_text(encoding="utf-8")


def _with_database(
    admin_url: str, database: str, role: str | None = None, password: Callable[[str], str] | None = None
) -> str:
    """The same server, another database, and another role when one is given."""
    parts = urlsplit(admin_url)
    user_info, _, address = parts.netloc.rpartition("@")
    if role is not None and password is not None:
        user_info = f"{role}:{quote(_password_of(role, password), safe='')}"
    return urlunsplit(parts._replace(netloc=f"{user_info}@{address}" if user_info else address, path=f"/{database}"))
