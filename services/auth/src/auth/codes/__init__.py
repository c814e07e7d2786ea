"""One-time codes of six digits, and the proof of a phone or an e-mail address with one."""
