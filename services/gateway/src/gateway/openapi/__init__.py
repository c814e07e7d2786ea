"""One OpenAPI document of all services, and a page to read it."""
