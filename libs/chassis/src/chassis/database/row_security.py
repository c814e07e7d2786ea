"""Row-level security in a service's migrations: one call per kind of table (docs/adr/0006-row-level-security.md).

Every policy asks the two settings of the transaction, `cobro.tenants` and `cobro.user` (chassis.tenancy), through
functions of the service's schema. It asks in sub-selects, so that PostgreSQL does so once per statement and not once
per row. Security is forced: the owner is subject to it as well, and a migration's data step sees all rows only because
`chassis.database.migrations` runs it for everyone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from alembic import op

_FUNCTIONS: Final = (
    # A setting that nobody has made is NULL; after a transaction that made one it is empty.
    """
CREATE FUNCTION tenancy_everyone() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(current_setting('cobro.tenants', true), '') = '*'
""",
    """
CREATE FUNCTION tenancy_businesses() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN coalesce(current_setting('cobro.tenants', true), '') IN ('', '*') THEN ARRAY[]::uuid[]
            ELSE string_to_array(current_setting('cobro.tenants', true), ',')::uuid[] END
""",
    """
CREATE FUNCTION tenancy_user() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('cobro.user', true), '')::uuid
""",
)
_EVERYONE: Final = "(SELECT tenancy_everyone())"
_BUSINESSES: Final = "(SELECT tenancy_businesses())::uuid[]"
_USER: Final = "(SELECT tenancy_user())"

# The same function as in plumbing.py, and new partitions are closed: they hold the rows of all tenants, and are
# reached by way of the outbox, whose policy then applies. Not forced, because this function looks into them as their
# owner.
_OUTBOX_MAINTAIN: Final = """
CREATE OR REPLACE FUNCTION outbox_maintain(keep_days integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    day date;
    old record;
    unsent boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('outbox_maintain'), hashtext(current_schema()));
    FOR day IN SELECT generate_series(current_date, current_date + 2, interval '1 day')::date LOOP
        IF to_regclass(format('outbox_%s', to_char(day, 'YYYYMMDD'))) IS NULL
           AND NOT EXISTS (SELECT FROM outbox_default WHERE created_at >= day AND created_at < day + 1) THEN
            EXECUTE format('CREATE TABLE outbox_%s PARTITION OF outbox FOR VALUES FROM (%L) TO (%L)',
                           to_char(day, 'YYYYMMDD'), day, day + 1);
            EXECUTE format('ALTER TABLE outbox_%s ENABLE ROW LEVEL SECURITY', to_char(day, 'YYYYMMDD'));
        END IF;
    END LOOP;
    FOR old IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'outbox'::regclass AND c.relname ~ '^outbox_[0-9]{8}$'
          AND to_date(right(c.relname, 8), 'YYYYMMDD') < current_date - keep_days
    LOOP
        -- A partition that still holds an unsent event stays until it has none.
        EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE sent_at IS NULL)', old.relname) INTO unsent;
        IF NOT unsent THEN
            EXECUTE format('DROP TABLE %I', old.relname);
        END IF;
    END LOOP;
END $$
"""
_CLOSE_PARTITIONS: Final = """
DO $$
DECLARE
    partition regclass;
BEGIN
    FOR partition IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'outbox'::regclass LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', partition);
    END LOOP;
END $$
"""


def secure_plumbing() -> None:
    """First of all: the functions that policies use, and the plumbing's own tables. The inbox holds nothing but ids of
    events, and has no policy."""
    for function in _FUNCTIONS:
        op.execute(function)
    secure_tables({"outbox": "business_id"})
    # What belongs to no business (user.*, webhook.received) may be written by anyone, and is read by the relay alone.
    op.execute("CREATE POLICY tenancy_unowned ON outbox FOR INSERT WITH CHECK (business_id IS NULL)")
    op.execute(_OUTBOX_MAINTAIN)
    op.execute(_CLOSE_PARTITIONS)
    # A key's principal is the user who sent the request, or the business that another service asked for.
    principal = f"principal_id = {_USER} OR principal_id = ANY ({_BUSINESSES})"
    _secure("idempotency_keys", f"{_EVERYONE} OR {principal}")


def secure_tables(tables: Mapping[str, str]) -> None:
    """Tables with the column that names the business a row belongs to."""
    for table, column in tables.items():
        _secure(table, f"{_EVERYONE} OR {column} = ANY ({_BUSINESSES})")


def secure_by_user(tables: Mapping[str, str]) -> None:
    """Tables with the column that names the user a row belongs to."""
    for table, column in tables.items():
        _secure(table, f"{_EVERYONE} OR {column} = {_USER}")


def secure_children(tables: Mapping[str, tuple[str, str]]) -> None:
    """Tables without a business of their own: the column that refers to the parent, and the parent's table, whose own
    policy then decides. The parent's row must be there before its child's, by a statement of its own."""
    for table, (column, parent) in tables.items():
        _secure(table, f"{_EVERYONE} OR EXISTS (SELECT FROM {parent} AS parent WHERE parent.id = {table}.{column})")


def secure_for_system(*tables: str) -> None:
    """Tables whose rows belong to no tenant: only `everyone()` touches them."""
    for table in tables:
        _secure(table, _EVERYONE)


def _secure(table: str, condition: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenancy ON {table} USING ({condition}) WITH CHECK ({condition})")


def unsecure(*tables: str) -> None:
    """For downgrades: the tables as they were before."""
    for table in tables:
        op.execute(f"DROP POLICY tenancy ON {table}")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY")


def unsecure_plumbing() -> None:
    """For downgrades, last of all. Closed partitions of the outbox stay closed, which hinders nobody."""
    op.execute("DROP POLICY tenancy_unowned ON outbox")
    unsecure("outbox", "idempotency_keys")
    for function in ("tenancy_everyone", "tenancy_businesses", "tenancy_user"):
        op.execute(f"DROP FUNCTION {function}()")
