"""`provision`: the database, schemas and roles, for deployments that start their servers and services themselves."""

import argparse
import os

from stack import runner
from stack.console import say
from stack.errors import StackError
from stack.infra.external import ExternalServer
from stack.infra.locate import Infrastructure
from stack.infra.server import Kind
from stack.local import SECRETS_FILE
from stack.repository import data_dir
from stack.secret_store import SecretStore
from stack.services import WITH_DATABASE

HELP = "create database, schemas and roles on POSTGRES_ADMIN_URL; safe to run again"


def register(parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(arguments: argparse.Namespace) -> int:
    url = os.environ.get("POSTGRES_ADMIN_URL")
    if not url:
        raise StackError("Set POSTGRES_ADMIN_URL to the address of a role that may create databases and roles.")
    server = ExternalServer(Kind.POSTGRES, url)
    infrastructure = Infrastructure({Kind.POSTGRES: server}, way="urls")
    runner.provision_database(infrastructure, SecretStore(data_dir() / SECRETS_FILE), caller=os.environ)
    say(f"provisioned {', '.join(WITH_DATABASE)}")
    return 0
