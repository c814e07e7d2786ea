"""From opening a drawer to counting it: sessions, their ledger, and what was odd about them."""
