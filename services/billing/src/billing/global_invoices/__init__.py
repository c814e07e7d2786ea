"""The periodic invoice of the sales that nobody asked an invoice of, where a country has one (Mexico)."""
