"""How a service process is put together, runs and stops."""

from chassis.runtime.command import Command, Tool
from chassis.runtime.jobs import Job
from chassis.runtime.kit import Kit
from chassis.runtime.main import main
from chassis.runtime.service import Service

__all__ = ["Command", "Job", "Kit", "Service", "Tool", "main"]
