"""Installing system packages through apt, without letting them start a server."""

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence

from stack.errors import StackError

# Packages start their servers on installation unless this script forbids it; an administrator's own script stays.
_INSTALL = """
set -eu
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\\nexit 101\\n' > "$policy"
  chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -q -o DPkg::Lock::Timeout=300 update
apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@"
"""


def install(packages: Sequence[str], notify: Callable[[str], None]) -> None:
    """Install Debian packages as root or through sudo without a password.

    StackError when that is not possible here; COBRO_INSTALL=0 forbids it.
    """
    wanted = " ".join(packages)
    hint = (
        f"These packages are missing: {wanted}.\n"
        f"Install them (Debian, Ubuntu: sudo apt-get install {wanted}), start Docker, or give POSTGRES_ADMIN_URL, "
        "RABBITMQ_URL and REDIS_URL of servers that run already."
    )
    if os.environ.get("COBRO_INSTALL") == "0" or shutil.which("apt-get") is None:
        raise StackError(hint)
    prefix = _as_root()
    if prefix is None:
        raise StackError(hint)
    notify(f"installing {wanted} through apt (their own servers are not started)")
    finished = subprocess.run(
        [*prefix, "sh", "-c", _INSTALL, "install", *packages],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        tail = "\n".join(finished.stdout.splitlines()[-10:])
        raise StackError(f"apt could not install {wanted}:\n{tail}\n\n{hint}")


def _as_root() -> list[str] | None:
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    allowed = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
    return ["sudo", "-n"] if allowed.returncode == 0 else None
