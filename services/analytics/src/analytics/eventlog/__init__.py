"""Every event that was counted, kept for good: what all facts and figures can be made from again (ADR 12)."""
