"""Temporary folders that do not outlive a killed run for long."""

import os
import shutil
import tempfile
from pathlib import Path

from stack import processes
from stack.processes import Identity

_PREFIX = "cobro-"
_OWNER = "owner.json"


def make() -> Path:
    """A new folder that belongs to this process. Removes those whose process died without removing them."""
    prune()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    # PostgreSQL may run as another user, who has to pass through.
    folder.chmod(0o711)
    processes.record(folder / _OWNER, [Identity.of(os.getpid())])
    return folder


def prune(parent: Path | None = None) -> None:
    """Remove the folders of dead runs of this user, ending the servers that still use them."""
    for owner_file in (parent or Path(tempfile.gettempdir())).glob(f"{_PREFIX}*/{_OWNER}"):
        owners = processes.recorded(owner_file)
        if not owners or owner_file.stat().st_uid != os.geteuid() or any(owner.alive() for owner in owners):
            continue
        for record in owner_file.parent.glob("*/process.json"):
            processes.end_recorded(record)
        shutil.rmtree(owner_file.parent, ignore_errors=True)
