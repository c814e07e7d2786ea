"""The HTTP application: error form, request ids, camelCase, pagination, limits, health and metrics."""
