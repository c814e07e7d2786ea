"""One row per sale, payment, refund, stock movement and invoice, merged from events in whatever order they come."""
