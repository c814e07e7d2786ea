"""What an e-mail tells mail programs of how to get no more of its kind (RFC 2369 and, in one click, RFC 8058)."""

from __future__ import annotations

from collections.abc import Mapping


def unsubscribe_headers(link: str) -> Mapping[str, str]:
    return {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
