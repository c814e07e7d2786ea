"""The ASGI application and the HTTP/1.1 protocol every client meets."""
