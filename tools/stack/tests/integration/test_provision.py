"""A service's role sees its own schema and nothing else."""

import os

import asyncpg
import pytest
from chassis.database.provision import app_url, owner_url, provision
from kernel import new_id

pytestmark = pytest.mark.integration


def password(role: str) -> str:
    return f'it\'s \\ a "secret" of {role}'


@pytest.fixture(scope="module")
async def database() -> str:
    name = f"provision_{new_id().hex[-12:]}"
    await provision(admin(), database=name, services=["alpha", "beta"], password=password)
    return name


def admin() -> str:
    return os.environ["TEST_POSTGRES_URL"]


async def execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def fetch(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_app_role_uses_what_its_owner_creates(database: str) -> None:
    owner, app = (make(admin(), database, "alpha", password) for make in (owner_url, app_url))
    table = f"t_{new_id().hex}"
    await execute(owner, f"CREATE TABLE {table} (id bigint GENERATED ALWAYS AS IDENTITY, name text)")
    await execute(app, f"INSERT INTO {table} (name) VALUES ('ñandú')")
    assert await fetch(app, f"SELECT unaccent(name) FROM alpha.{table}") == "nandu"


async def test_app_role_creates_and_drops_nothing(database: str) -> None:
    owner, app = (make(admin(), database, "alpha", password) for make in (owner_url, app_url))
    table = f"t_{new_id().hex}"
    await execute(owner, f"CREATE TABLE {table} (id int)")
    for statement in (
        "CREATE TABLE alpha.mine (id int)",
        "CREATE TABLE public.mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        f"DROP TABLE {table}",
        f"TRUNCATE {table}",
        f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await execute(app, statement)


@pytest.mark.parametrize("make", [app_url, owner_url])
async def test_no_role_reaches_another_schema(database: str, make: object) -> None:
    table = f"t_{new_id().hex}"
    await execute(owner_url(admin(), database, "beta", password), f"CREATE TABLE {table} (id int)")
    assert callable(make)
    stranger = make(admin(), database, "alpha", password)
    for statement in (
        f"SELECT * FROM beta.{table}",
        f"INSERT INTO beta.{table} VALUES (1)",
        "CREATE TABLE beta.mine (id int)",
        "SET ROLE beta_app",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await execute(stranger, statement)


async def test_a_function_is_not_open_to_other_services(database: str) -> None:
    function = f"f_{new_id().hex}"
    await execute(
        owner_url(admin(), database, "beta", password),
        f"CREATE FUNCTION {function}() RETURNS int LANGUAGE sql RETURN 1",
    )
    assert await fetch(app_url(admin(), database, "beta", password), f"SELECT {function}()") == 1
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await fetch(app_url(admin(), database, "alpha", password), f"SELECT beta.{function}()")


async def test_row_level_security_binds_the_app_role(database: str) -> None:
    owner, app = (make(admin(), database, "alpha", password) for make in (owner_url, app_url))
    table = f"t_{new_id().hex}"
    await execute(
        owner,
        f"CREATE TABLE {table} (id int)",
        f"INSERT INTO {table} VALUES (1)",
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
    )
    assert await fetch(app, f"SELECT count(*) FROM {table}") == 0


async def test_connections_without_a_grant_are_refused(database: str) -> None:
    role = f"outsider_{new_id().hex}"
    await execute(admin(), f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
    other = app_url(admin(), database, "alpha", password).replace("alpha_app", role)
    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.InvalidPasswordError)):
        await execute(other, "SELECT 1")


async def test_time_limits_protect_the_server(database: str) -> None:
    app = app_url(admin(), database, "alpha", password)
    assert await fetch(app, "SHOW statement_timeout") == "30s"
    assert await fetch(app, "SHOW idle_in_transaction_session_timeout") == "1min"


async def test_provisioning_again_changes_nothing_and_sets_new_passwords() -> None:
    name = f"provision_{new_id().hex[-12:]}"
    service = f"s{new_id().hex[-12:]}"
    await provision(admin(), database=name, services=[service], password=lambda role: "first")
    await execute(owner_url(admin(), name, service, lambda role: "first"), "CREATE TABLE kept (id int)")
    await provision(admin(), database=name, services=[service], password=lambda role: "second")
    assert await fetch(app_url(admin(), name, service, lambda role: "second"), "SELECT count(*) FROM kept") == 0
    with pytest.raises(asyncpg.InvalidPasswordError):
        await fetch(app_url(admin(), name, service, lambda role: "first"), "SELECT 1")


async def test_an_administrator_without_superuser_can_provision() -> None:
    role, name, service = (f"{kind}{new_id().hex[-12:]}" for kind in ("admin", "provision_", "s"))
    await execute(admin(), f"CREATE ROLE {role} LOGIN CREATEDB CREATEROLE PASSWORD 'x'")
    _, _, address = admin().removeprefix("postgresql://").rpartition("@")
    url = f"postgresql://{role}:x@{address}"
    for _ in range(2):
        await provision(url, database=name, services=[service], password=password)
    assert await fetch(app_url(url, name, service, password), "SELECT current_user") == f"{service}_app"
