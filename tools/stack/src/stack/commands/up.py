"""`up`: everything on this machine, until Ctrl-C."""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time

from stack import runner
from stack.commands import seed
from stack.console import say, show
from stack.environment import Addresses
from stack.errors import StackError
from stack.local import LocalSuite
from stack.repository import ROOT, data_dir
from stack.services import TWINS
from stack.state import RunFile

HELP = "start the whole suite with a demo merchant; Ctrl-C stops it, and its data stay for the next time"
_DETACH_SECONDS = 600.0
_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def register(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--detach", action="store_true", help="return when everything is ready, and let it run")
    parser.add_argument("--no-seed", action="store_true", help="do not make the demo merchant")


def run(arguments: argparse.Namespace) -> int:
    if arguments.detach:
        return _detach(no_seed=arguments.no_seed)
    signal.signal(signal.SIGHUP, signal.getsignal(signal.SIGTERM))
    data = data_dir()
    # Others may pass through (PostgreSQL may run as another user) but not look around.
    data.mkdir(parents=True, exist_ok=True, mode=0o711)
    run_file = RunFile(data)
    run_file.acquire()
    try:
        if leftovers := run_file.end_leftovers():
            say(f"ended what an interrupted run had left: {', '.join(leftovers)}")
        suite = LocalSuite(data, run_file, say)
        try:
            addresses = suite.start()
            if not arguments.no_seed:
                seed.seed(addresses.url("gateway"), suite.secrets["DEMO_PASSWORD"])
            show(_summary(addresses, suite))
            # Ending it is how everyone leaves it, so that is no failure.
            with contextlib.suppress(KeyboardInterrupt):
                suite.supervise()
        finally:
            # A second Ctrl-C must not leave half of it running; the time everything gets to end is bounded.
            for number in _ENDING_SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            suite.stop()
    finally:
        run_file.release()
    return 0


def _detach(*, no_seed: bool) -> int:
    """Start ourselves in the background; return when that says it is ready, or show why it is not."""
    data = data_dir()
    log = data / "logs" / "up.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "stack", "up", *(["--no-seed"] if no_seed else [])],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    run_file = RunFile(data)
    deadline = time.monotonic() + _DETACH_SECONDS
    while child.poll() is None:
        state = run_file.read()
        if state is not None and state.supervisor.pid == child.pid and state.phase == "ready":
            show(log.read_text())
            return 0
        if time.monotonic() > deadline:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGTERM)
            raise StackError(f"Not ready within {_DETACH_SECONDS:.0f} s; see {log}.")
        time.sleep(0.2)
    raise StackError(f"It did not start:\n{runner.tail(log)}")


def _summary(addresses: Addresses, suite: LocalSuite) -> str:
    gateway = addresses.url("gateway")
    phone, password = seed.PHONE, suite.secrets["DEMO_PASSWORD"]
    login = f"""curl -s {gateway}/api/v1/auth/login -H 'Content-Type: application/json' \\
    -H "Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)" -d '{{"phone":"{phone}","password":"{password}"}}'"""
    return f"""
Cobro is running.

  API       {gateway}/api/v1
  Docs      {gateway}/docs
  Messages  {addresses.url(TWINS)}/outbox   (every SMS and e-mail sent so far)
  Logs      {suite.logs}
  Login     {phone}   {password}

Try:
  {login}
  TOKEN=...   # data.accessToken of the answer
  curl -s {gateway}/api/v1/businesses -H "Authorization: Bearer $TOKEN"
  curl -s {gateway}/api/v1/products   -H "Authorization: Bearer $TOKEN"
  curl -s {gateway}/health

`make demo` plays a whole sale. Ctrl-C here, or `make down` elsewhere, stops everything.
"""
