"""Documents on disk: what the twins remember, in one SQLite file, or in memory where no file is given."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

Document = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS document (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    due REAL,
    body TEXT NOT NULL,
    UNIQUE (kind, id)
);
CREATE INDEX IF NOT EXISTS document_newest ON document (kind, seq);
CREATE INDEX IF NOT EXISTS document_due ON document (kind, due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS lookup (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (kind, key, id)
) WITHOUT ROWID;
"""


class Store:
    """Synchronous on purpose: between two awaits of the one event loop nothing else touches it."""

    def __init__(self, path: Path | None = None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path or ":memory:", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        # A killed process loses nothing; a power cut may, which a twin can afford.
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is put inside is kept, or none of it; also faster than one by one. Not to be held over an await."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def put(self, kind: str, id: str, body: Document, *, due: float | None = None, keys: Iterable[str] = ()) -> None:
        """Insert or replace. due: epoch seconds at which `due` lists it. keys: what `find` finds it by, added only."""
        self._db.execute(
            "INSERT INTO document (kind, id, due, body) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (kind, id) DO UPDATE SET due = excluded.due, body = excluded.body",
            (kind, id, due, orjson.dumps(body).decode()),
        )
        rows = [(kind, key, id) for key in keys]
        if rows:
            self._db.executemany("INSERT OR IGNORE INTO lookup (kind, key, id) VALUES (?, ?, ?)", rows)

    def get(self, kind: str, id: str) -> Document | None:
        row = self._db.execute("SELECT body FROM document WHERE kind = ? AND id = ?", (kind, id)).fetchone()
        return orjson.loads(row[0]) if row else None

    def delete(self, kind: str, id: str) -> None:
        self._db.execute("DELETE FROM document WHERE kind = ? AND id = ?", (kind, id))

    def find(self, kind: str, key: str, limit: int = 100) -> list[Document]:
        """Newest first."""
        rows = self._db.execute(
            "SELECT d.body FROM lookup l JOIN document d ON d.kind = l.kind AND d.id = l.id"
            " WHERE l.kind = ? AND l.key = ? ORDER BY d.seq DESC LIMIT ?",
            (kind, key, limit),
        )
        return [orjson.loads(row[0]) for row in rows]

    def newest(self, kind: str, limit: int, after: str | None = None) -> list[Document]:
        """Newest first, from the one after `after` (an id) on."""
        rows = self._db.execute(
            "SELECT body FROM document WHERE kind = :kind"
            " AND (:after IS NULL OR seq < (SELECT seq FROM document WHERE kind = :kind AND id = :after))"
            " ORDER BY seq DESC LIMIT :limit",
            {"kind": kind, "after": after, "limit": limit},
        )
        return [orjson.loads(row[0]) for row in rows]

    def due(self, kind: str, now: float, limit: int = 100) -> list[str]:
        rows = self._db.execute(
            "SELECT id FROM document WHERE kind = ? AND due <= ? ORDER BY due, seq LIMIT ?", (kind, now, limit)
        )
        return [row[0] for row in rows]

    def next_due(self, kind: str) -> float | None:
        value = self._db.execute("SELECT min(due) FROM document WHERE kind = ? AND due IS NOT NULL", (kind,)).fetchone()
        return None if value[0] is None else float(value[0])

    def clear(self, *kinds: str) -> None:
        for kind in kinds:
            self._db.execute("DELETE FROM document WHERE kind = ?", (kind,))
            self._db.execute("DELETE FROM lookup WHERE kind = ?", (kind,))
