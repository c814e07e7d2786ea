-- What all services share in one database. Applied by `provision.py`, again and again, always with the same result.
-- A colon before double quotes stands for a quoted identifier, before single quotes for a quoted literal.

REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;

CREATE SCHEMA IF NOT EXISTS extensions;
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA extensions;
CREATE EXTENSION IF NOT EXISTS unaccent WITH SCHEMA extensions;
CREATE EXTENSION IF NOT EXISTS btree_gin WITH SCHEMA extensions;

-- Below row-level security an index serves only conditions that cannot tell anything of rows not to be seen. These
-- raise no error that names what they compare; without this a search reads a shop's every product.
-- Refused to anyone but a superuser, and then the search is slower and no less right.
DO $$
BEGIN
  IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    ALTER FUNCTION pg_catalog.ts_match_vq(tsvector, tsquery) LEAKPROOF;
    ALTER FUNCTION extensions.word_similarity_op(text, text) LEAKPROOF;
    ALTER FUNCTION extensions.word_similarity_commutator_op(text, text) LEAKPROOF;
  END IF;
END
$$;
