"""What an operator runs by hand beside the service: `python -m <service> <command> …`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from chassis.settings import ServiceSettings

SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


def _none(_: ArgumentParser) -> None:
    """A command without arguments."""


@dataclass(frozen=True, slots=True)
class Command(Generic[SettingsT]):
    """arguments: declares what the command takes. run: does it, and returns the exit code.

    No secret is ever an argument, which every user of the machine can see: a command asks for it, or reads it from its
    standard input.
    """

    name: str
    help: str
    run: Callable[[SettingsT, Namespace], int]
    arguments: Callable[[ArgumentParser], None] = _none


@dataclass(frozen=True, slots=True)
class Tool:
    """A command that needs no settings, such as one that makes a value for them."""

    name: str
    help: str
    run: Callable[[Namespace], int]
    arguments: Callable[[ArgumentParser], None] = _none
