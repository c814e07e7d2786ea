"""`python -m chassis.bus declare | status | redrive QUEUE [--limit N]`."""

from __future__ import annotations

import argparse
import asyncio
import sys

from chassis.bus.redrive import depths, redrive
from chassis.bus.topology import declare
from chassis.settings import CommonSettings, load


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m chassis.bus", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("declare", help="declare the topology, let it settle, prove every queue with a canary")
    commands.add_parser("status", help="messages waiting and dead, per queue")
    again = commands.add_parser("redrive", help="send a queue's dead letters round again")
    again.add_argument("queue")
    again.add_argument("--limit", type=int)
    arguments = parser.parse_args()
    settings = load(CommonSettings)
    url = settings.rabbitmq_url.get_secret_value()
    match arguments.command:
        case "declare":
            lines = [f"{name} proven" for name in asyncio.run(declare(url, settings.bus_retry_ladder))]
        case "status":
            lines = [f"{name}: {w} waiting, {d} dead" for name, (w, d) in asyncio.run(depths(url)).items()]
        case _:
            lines = [f"{asyncio.run(redrive(url, arguments.queue, limit=arguments.limit))} moved"]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
