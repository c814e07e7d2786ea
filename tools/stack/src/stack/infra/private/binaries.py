"""Finding the programs of the private servers, and installing what is missing where that is allowed."""

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stack.errors import StackError
from stack.infra.private.packages import install

POSTGRES_MINIMUM = 15
REDIS_MINIMUM = 7


@dataclass(frozen=True, slots=True)
class Binaries:
    """Where the programs are: the folder of PostgreSQL's, and the others one by one."""

    postgres: Path
    redis: Path
    rabbitmq: Path
    epmd: Path


def find_or_install(notify: Callable[[str], None]) -> Binaries:
    """The programs of the private servers. StackError that names the packages when they cannot be had."""
    missing = {name: package for name, (find, package) in _PROGRAMS.items() if find() is None}
    if missing:
        install(sorted(set(missing.values())), notify)
    found = {name: find() for name, (find, _) in _PROGRAMS.items()}
    absent = [name for name, path in found.items() if path is None]
    if absent:
        raise StackError(
            f"Not found, or too old, even after installing: {', '.join(absent)}. Needed are PostgreSQL "
            f"{POSTGRES_MINIMUM} or newer with contrib, Redis {REDIS_MINIMUM} or newer, and RabbitMQ; or give "
            "POSTGRES_ADMIN_URL, RABBITMQ_URL and REDIS_URL of servers that run already."
        )
    return Binaries(**{name: path for name, path in found.items() if path is not None})


def _postgres() -> Path | None:
    """The folder of the newest PostgreSQL's programs."""
    folders = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    if on_path := shutil.which("initdb"):
        folders.append(Path(on_path).resolve().parent)
    usable = [
        (version, folder)
        for folder in folders
        if (folder / "initdb").exists()
        and (version := _version(folder / "postgres")) >= POSTGRES_MINIMUM
        and _has_contrib(folder, version)
    ]
    return max(usable, default=(0, None), key=lambda entry: entry[0])[1]


def _has_contrib(folder: Path, version: int) -> bool:
    shares = (Path(f"/usr/share/postgresql/{version}"), folder.parent / "share", folder.parent / "share/postgresql")
    return any((share / "extension" / "pg_trgm.control").exists() for share in shares)


def _redis() -> Path | None:
    program = shutil.which("redis-server")
    return Path(program) if program and _version(Path(program)) >= REDIS_MINIMUM else None


def _rabbitmq() -> Path | None:
    # The one on the PATH may be Debian's wrapper, which refuses to run as an ordinary user.
    packaged = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    if packaged.exists():
        return packaged
    program = shutil.which("rabbitmq-server")
    return Path(program) if program else None


def _epmd() -> Path | None:
    if program := shutil.which("epmd"):
        return Path(program)
    return next(iter(sorted(Path("/usr").glob("lib*/erlang/erts-*/bin/epmd"))), None)


def _version(program: Path) -> int:
    """The major version a program reports; 0 when it does not."""
    try:
        answer = subprocess.run([str(program), "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r"(?:v=|\) )(\d+)", answer.stdout)
    return int(found.group(1)) if found else 0


_PROGRAMS: dict[str, tuple[Callable[[], Path | None], str]] = {
    "postgres": (_postgres, "postgresql"),
    "redis": (_redis, "redis-server"),
    "rabbitmq": (_rabbitmq, "rabbitmq-server"),
    "epmd": (_epmd, "erlang-base"),
}
