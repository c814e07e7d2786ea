"""Servers of our own: started from the system's packages, on free ports, with their own data, and stopped again."""

from stack.infra.private.base import PrivateServer
from stack.infra.private.postgres import PrivatePostgres
from stack.infra.private.rabbitmq import PrivateRabbitMQ
from stack.infra.private.redis import PrivateRedis

__all__ = ["PrivatePostgres", "PrivateRabbitMQ", "PrivateRedis", "PrivateServer"]
