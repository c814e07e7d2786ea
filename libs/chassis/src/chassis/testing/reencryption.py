"""Whether a service has declared every place in which it keeps encrypted values."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from sqlalchemy import text

from chassis.crypto import FieldCipher, decode_key
from chassis.database.engine import Database
from chassis.reencryption import STORED_ANSWERS, Outcome, reencrypt
from chassis.tenancy import everyone
from chassis.testing.service import ServiceUnderTest

_COLUMNS = text(
    "SELECT c.relname AS table, a.attname AS column FROM pg_class c"
    " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
    " AND format_type(a.atttypid, NULL) IN ('text', 'text[]', 'json', 'jsonb', 'character varying')"
)


async def reencrypt_there_and_back(sut: ServiceUnderTest) -> Mapping[str, int]:
    """Bring all that the service holds under a new key, look through every column of its schema for what stayed under
    the old one, and undo it. Returns how many values were rewritten, by place.

    Tell the service a story that fills every encrypted column before: an empty one shows nothing.
    """
    keys = {}
    for item in sut.kit.common.field_encryption_keys.get_secret_value().split(","):
        kid, _, key = item.partition(":")
        keys[kid] = decode_key(key)
    old = next(iter(keys))
    fresh = f"fresh-{secrets.token_hex(4)}"
    keys[fresh] = secrets.token_bytes(32)
    there = await _reencrypt(sut, FieldCipher({fresh: keys[fresh], **keys}))
    try:
        left = await _columns_with(sut.kit.database, old)
    finally:
        await _reencrypt(sut, FieldCipher(keys))
    assert left == [], f"encrypted values that no place declares: {left}"
    assert there.is_complete
    return there.rewritten


async def _reencrypt(sut: ServiceUnderTest, cipher: FieldCipher) -> Outcome:
    return await reencrypt(sut.kit.database, cipher, [*sut.service.sealed, STORED_ANSWERS], lambda _: None)


async def _columns_with(database: Database, key_id: str) -> list[str]:
    found = []
    with everyone():
        async with database.read() as session:
            for table, column in (await session.execute(_COLUMNS)).all():
                # What a value under this key looks like, also within JSON.
                statement = text(f'SELECT EXISTS (SELECT FROM "{table}" WHERE "{column}"::text ~ :pattern)')
                pattern = f"v1\\.{key_id}\\.[A-Za-z0-9_-]{{38,}}"
                if (await session.execute(statement, {"pattern": pattern})).scalar_one():
                    found.append(f"{table}.{column}")
    return found
