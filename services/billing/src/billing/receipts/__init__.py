"""The document as something to look at: a PDF for the till's printer, and one for an A4 page."""
