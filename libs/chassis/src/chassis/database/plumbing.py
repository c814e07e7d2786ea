"""The tables every service has in its own schema: outbox, inbox, idempotency keys."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import JSON, UUID

# Apart from a service's own metadata, because a shared migration creates them (database/migrations.py).
metadata = MetaData()

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", UUID(as_uuid=True), nullable=False),
    Column("business_id", UUID(as_uuid=True)),
    Column("aggregate_type", Text, nullable=False),
    Column("aggregate_id", UUID(as_uuid=True), nullable=False),
    Column("aggregate_version", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("body", JSON, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now(), primary_key=True),
    Column("sent_at", DateTime(timezone=True)),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("parked_at", DateTime(timezone=True)),
    Column("last_error", Text),
    Column("only_queue", Text),
)

inbox = Table(
    "inbox",
    metadata,
    Column("queue", Text, primary_key=True),
    Column("event_id", UUID(as_uuid=True), primary_key=True),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("principal_id", UUID(as_uuid=True), primary_key=True),
    Column("route", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("owner", UUID(as_uuid=True)),
    Column("lease_until", DateTime(timezone=True)),
    Column("resource_id", UUID(as_uuid=True)),
    Column("status", SmallInteger),
    Column("body", Text),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

# One statement each: a prepared statement holds no more.
PLUMBING_DDL = (
    """
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY,
    event_id uuid NOT NULL,
    business_id uuid,
    aggregate_type text NOT NULL,
    aggregate_id uuid NOT NULL,
    aggregate_version bigint NOT NULL,
    type text NOT NULL,
    body json NOT NULL,
    headers json NOT NULL,
    occurred_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    parked_at timestamptz,
    last_error text,
    -- Set by the delivery audit: the one queue that never got the event.
    only_queue text,
    PRIMARY KEY (created_at, id)
) PARTITION BY RANGE (created_at)
""",
    """
CREATE INDEX ix_outbox_unsent ON outbox (next_attempt_at, id) WHERE sent_at IS NULL AND parked_at IS NULL
""",
    "CREATE INDEX ix_outbox_event_id ON outbox (event_id)",
    """
-- Catches what no daily partition covers, should the maintenance job ever be late.
CREATE TABLE outbox_default PARTITION OF outbox DEFAULT
""",
    """
CREATE TABLE inbox (
    queue text NOT NULL,
    event_id uuid NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (queue, event_id)
)
""",
    "CREATE INDEX ix_inbox_received_at ON inbox (received_at)",
    """
CREATE TABLE idempotency_keys (
    principal_id uuid NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    owner uuid,
    lease_until timestamptz,
    resource_id uuid,
    status smallint,
    body text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (principal_id, route, key)
)
""",
    "CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at)",
    """
-- The application role owns nothing, so partitions come and go through this function of the owner's.
CREATE FUNCTION outbox_maintain(keep_days integer) RETURNS void
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
""",
    "SELECT outbox_maintain(7)",
)
