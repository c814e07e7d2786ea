"""`secrets`: what each container of docker-compose may know, in a folder they all mount."""

import argparse
import os
from pathlib import Path

from stack.console import say
from stack.containers import STEP_USER, SecretFile, secret_files
from stack.errors import StackError
from stack.infra.server import Kind
from stack.local import SECRETS_FILE
from stack.repository import data_dir
from stack.secret_store import SecretStore

HELP = "write every container's secrets into a folder, making those that are missing; safe to run again"
_SERVERS = {Kind.POSTGRES: "postgres:5432", Kind.RABBITMQ: "rabbitmq:5672", Kind.REDIS: "redis:6379"}


def register(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="each file in it belongs to the user of its container")
    for kind, address in _SERVERS.items():
        parser.add_argument(f"--{kind}", default=address, help=f"as the containers reach it (default: {address})")


def run(arguments: argparse.Namespace) -> int:
    if os.geteuid() != 0:
        raise StackError("Only root may give files to other users: run this as root.")
    store_file = data_dir() / SECRETS_FILE
    try:
        store = SecretStore(store_file)
        # The steps that come later read it as themselves.
        for path in (store_file.parent, store_file):
            os.chown(path, STEP_USER, STEP_USER)
        store_file.parent.chmod(0o700)
        files = list(secret_files(store, {kind: getattr(arguments, kind) for kind in _SERVERS}))
        for file in files:
            _write(arguments.folder, file)
    except OSError as error:
        raise StackError(f"{error.filename} cannot be written: {error.strerror}.") from error
    say(f"{len(files)} files of secrets in {arguments.folder}")
    return 0


def _write(folder: Path, file: SecretFile) -> None:
    """Whole or not at all, and never readable by anyone else in between."""
    fresh = folder / f".{file.name}"
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "w", encoding="utf-8") as output:
        output.write(file.content)
        output.flush()
        os.fsync(output.fileno())
        os.fchown(output.fileno(), file.owner, file.owner)
    fresh.replace(folder / file.name)
