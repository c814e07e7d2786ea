"""Who steals a dump of the database, or the folder of documents, learns nobody's phone, address, name or numbers."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

import asyncpg
import pytest

pytestmark = pytest.mark.integration


async def dump(vault: Any) -> dict[str, bytes]:
    """Every table of the schema as COPY gives it to a superuser, whom no policy holds back."""
    admin = urlsplit(os.environ["TEST_POSTGRES_URL"])
    database = urlsplit(vault.environment["AUTH_DATABASE_URL"]).path
    connection = await asyncpg.connect(admin._replace(path=database).geturl())
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'auth'")
        content = {}
        for table in tables:
            parts: list[bytes] = []

            async def keep(data: bytes, parts: list[bytes] = parts) -> None:
                parts.append(data)

            await connection.copy_from_query(f'SELECT * FROM auth."{table["tablename"]}"', output=keep)
            content[table["tablename"]] = b"".join(parts)
        return content
    finally:
        await connection.close()


def disguises(value: str) -> Iterator[bytes]:
    """A value as it might lie somewhere: plain, in JSON, in a URL, in hexadecimal, or within base64 at any offset."""
    for text in {value, value.casefold(), value.upper(), value.lstrip("+"), value.removeprefix("+52")}:
        raw = text.encode()
        yield raw
        yield json.dumps(text).strip('"').encode()
        yield quote(text, safe="").encode()
        yield quote_plus(text).encode()
        yield raw.hex().encode()
        for offset in range(3):
            encoded = base64.b64encode(bytes(offset) + raw)
            # Without the characters that also depend on what lies around.
            inner = encoded[4 if offset else 0 : -4]
            yield inner
            yield inner.replace(b"+", b"-").replace(b"/", b"_")


def places(haystacks: dict[str, bytes], value: str) -> list[str]:
    needles = {needle for needle in disguises(value) if len(needle) >= 6}
    return [name for name, content in haystacks.items() if any(needle in content for needle in needles)]


def test_the_search_finds_what_is_hidden_only_thinly() -> None:
    value = "+525512345678"
    for hidden in (
        b"x+525512345678x",
        b"tel%3A%2B525512345678",
        b"5512345678",
        base64.b64encode(b"a" + value.encode() + b"b"),
        base64.urlsafe_b64encode(b"ab" + value.encode() + b"b"),
        value.encode().hex().encode(),
    ):
        assert places({"table": hidden}, value) == ["table"]
    assert places({"table": b"+525587654321"}, value) == []


async def test_a_dump_of_the_database_tells_nothing(vault: Any) -> None:
    content = await dump(vault)

    filled = {table for table, rows in content.items() if rows}
    assert filled >= {
        *("users", "sessions", "businesses", "branches", "memberships", "one_time_codes", "audit_entries"),
        *("kyc_submissions", "kyc_documents", "idempotency_keys"),
    }
    assert any(table.startswith("outbox") for table in filled)
    # A shop's name is on its door: that it is found shows that the search would find the others.
    assert places(content, "Abarrotes Lupita") == ["businesses"]
    leaks = {name: found for name, value in vault.secrets.items() if (found := places(content, value))}
    assert leaks == {}


async def test_a_dump_of_the_database_holds_no_code(vault: Any) -> None:
    assert len(vault.code) == 6
    # Of times only the seconds' fractions have six digits.
    content = {table: re.sub(rb"\.\d+\+\d\d", b"", rows) for table, rows in (await dump(vault)).items()}
    code = re.compile(rb"(?<![0-9A-Za-z])" + vault.code.encode() + rb"(?![0-9A-Za-z])")
    assert [table for table, rows in content.items() if code.search(rows)] == []
    assert places({"one_time_codes": content["one_time_codes"]}, vault.code) == []


def test_the_folder_of_documents_tells_nothing(vault: Any) -> None:
    content = {str(path): path.read_bytes() for path in Path(vault.documents).rglob("*") if path.is_file()}
    assert any(vault.submission_id in name for name in content)
    assert not any(vault.front[4:60] in data for data in content.values())
    assert {name: found for name, value in vault.secrets.items() if (found := places(content, value))} == {}
    assert not any(value in name for name in content for value in vault.secrets.values())
