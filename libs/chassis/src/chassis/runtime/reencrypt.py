"""`python -m <service> re-encrypt`: everything the service holds encrypted, under the current key."""

from __future__ import annotations

import asyncio
import sys

from chassis.reencryption import STORED_ANSWERS, reencrypt
from chassis.runtime.command import Command
from chassis.runtime.kit import Kit
from chassis.runtime.process import Build
from chassis.settings import ServiceSettings


def reencrypt_command(name: str, build: Build) -> Command[ServiceSettings]:
    """The exit code is 1 while any value remains under another key than the first."""
    return Command(
        "re-encrypt",
        "bring every encrypted value under the first key of FIELD_ENCRYPTION_KEYS; safe while the service runs",
        lambda settings, _: asyncio.run(_run(name, settings, build)),
    )


async def _run(name: str, settings: ServiceSettings, build: Build) -> int:
    kit = Kit(name, settings)
    try:
        service = await build(kit)
        outcome = await reencrypt(kit.database, kit.cipher, [*service.sealed, STORED_ANSWERS], _say)
        if service.on_reencrypted is not None:
            await service.on_reencrypted(outcome)
    finally:
        await kit.close()
    return 0 if outcome.is_complete else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
