"""PostgreSQL, RabbitMQ and Redis: from given addresses, from Docker, or private servers of our own."""

from stack.infra.locate import Infrastructure, locate
from stack.infra.server import Server

__all__ = ["Infrastructure", "Server", "locate"]
