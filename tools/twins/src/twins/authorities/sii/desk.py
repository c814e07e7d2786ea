"""What SII has: envelopes by track id and documents by issuer, type and folio, decided some time after they came."""

from __future__ import annotations

import time
from typing import Any

from twins.authorities.base import Json, Ledger
from twins.authorities.sii.checking import Document
from twins.store import Store

ENVELOPE = "sii.envelope"
_COUNTER = "sii.counter"
KINDS = (ENVELOPE, "sii.document")


class Desk:
    """decision_seconds: how long a decision takes by itself."""

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store = store
        self._ledger = ledger
        self.decision_seconds = 0.5

    def receive(self, issuer: str, documents: list[Document], *, refuse: bool) -> str:
        """The track id. A folio is taken once: what comes under it again is refused, the same or not."""
        with self._store.transaction():
            entries = []
            for document in documents:
                verdict = "rejected" if document.problems or refuse else "accepted"
                said = document.problems or ((("DTE-3-999", "Rechazado a pedido"),) if refuse else document.remarks)
                _, new = self._ledger.take(
                    document.key,
                    {
                        "state": "waiting",
                        "verdict": verdict,
                        "messages": [list(item) for item in said],
                        "at": time.time(),
                        "digest": document.digest,
                        "receiver": document.receiver,
                        "issuedOn": document.issued_on,
                        "total": document.total,
                    },
                )
                entries.append({"key": document.key, "again": not new})
            return self._track({"issuer": issuer, "documents": entries, "refused": None, "at": time.time()})

    def refuse(self, issuer: str, code: str, text: str) -> str:
        """An envelope of which nothing is taken."""
        return self._track({"issuer": issuer, "documents": [], "refused": [code, text], "at": time.time()})

    def give_out(self, series: str, count: int) -> int:
        """The first of the next folios."""
        last = int((self._store.get(_COUNTER, series) or {"value": 0})["value"])
        self._store.put(_COUNTER, series, {"value": last + count})
        return last + 1

    def envelope(self, issuer: str, track_id: str) -> Json | None:
        """With the documents as they are now, None for another's."""
        found = self._store.get(ENVELOPE, track_id)
        if found is None or found["issuer"] != issuer:
            return None
        documents = []
        for entry in found["documents"]:
            document = self.document(entry["key"])
            assert document is not None
            documents.append({**document, **entry})
        return {**found, "documents": documents}

    def document(self, key: str) -> Json | None:
        found = self._ledger.get(key)
        if found is not None and found["state"] == "waiting" and time.time() >= found["at"] + self.decision_seconds:
            found = self._ledger.change(key, state=found["verdict"])
        return found

    def decide(self, key: str, accept: bool) -> Json | None:
        found = self._ledger.get(key)
        if found is None or found["state"] != "waiting":
            return found
        return self._ledger.change(key, state=found["verdict"] if accept else "rejected")

    def _track(self, body: dict[str, Any]) -> str:
        last = self._store.get(_COUNTER, "track") or {"value": 1_000_000}
        track_id = str(int(last["value"]) + 1)
        self._store.put(_COUNTER, "track", {"value": int(track_id)})
        self._store.put(ENVELOPE, track_id, body)
        return track_id
