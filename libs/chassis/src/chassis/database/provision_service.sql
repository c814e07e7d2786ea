-- One service: a schema of its own, a role that owns it (migrations), and a role that only uses it (the service).
-- Applied by `provision.py`, again and again, always with the same result.
-- A colon before double quotes stands for a quoted identifier, before single quotes for a quoted literal.

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'owner') THEN
    CREATE ROLE :"owner";
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'app') THEN
    CREATE ROLE :"app";
  END IF;
  -- An administrator who is no superuser (managed PostgreSQL) acts for the owner below only as its member.
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    GRANT :"owner" TO CURRENT_USER;
  END IF;
END
$$;

ALTER ROLE :"owner" LOGIN NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
ALTER ROLE :"app" LOGIN NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD :'app_password';

-- Refused to anyone but a superuser, even when nothing changes; who cannot grant these cannot have granted them either.
DO $$
BEGIN
  IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    ALTER ROLE :"owner" NOSUPERUSER NOREPLICATION NOBYPASSRLS;
    ALTER ROLE :"app" NOSUPERUSER NOREPLICATION NOBYPASSRLS;
  END IF;
END
$$;

ALTER ROLE :"owner" SET search_path = :"schema", extensions;
ALTER ROLE :"app" SET search_path = :"schema", extensions;
-- A request waits seconds, not minutes; a forgotten transaction holds back vacuum and locks for everyone.
ALTER ROLE :"app" SET statement_timeout = '30s';
ALTER ROLE :"app" SET lock_timeout = '10s';
ALTER ROLE :"app" SET idle_in_transaction_session_timeout = '60s';

GRANT CONNECT ON DATABASE :"database" TO :"owner", :"app";

CREATE SCHEMA IF NOT EXISTS :"schema" AUTHORIZATION :"owner";
ALTER SCHEMA :"schema" OWNER TO :"owner";
REVOKE ALL ON SCHEMA :"schema" FROM PUBLIC;
GRANT USAGE ON SCHEMA :"schema" TO :"app";
GRANT USAGE ON SCHEMA extensions TO :"owner", :"app";

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA :"schema" TO :"app";
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA :"schema" TO :"app";
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA :"schema" TO :"app";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA :"schema" GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"app";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA :"schema" GRANT USAGE, SELECT ON SEQUENCES TO :"app";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" REVOKE EXECUTE ON ROUTINES FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA :"schema" GRANT EXECUTE ON ROUTINES TO :"app";
