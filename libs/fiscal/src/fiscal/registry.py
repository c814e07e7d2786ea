"""Which folder serves which country. A new country is a line in FOLDERS, and nothing else here.

A country is loaded when the first business of it needs it, so that one that nobody uses costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Final, Protocol

from kernel import Clock, Country

from fiscal.errors import CountryNotSupported
from fiscal.provider import FiscalProvider
from fiscal.tickets import MemoryTickets, TicketStore
from fiscal.workshop import Workshop

# Each holds a `provider` module with a function `open_provider`.
FOLDERS: Final[Mapping[Country, str]] = {Country.AR: "ar", Country.CL: "cl", Country.CO: "co", Country.MX: "mx"}


@dataclass(frozen=True, slots=True)
class Tools:
    """What a provider is given: the time (for tickets, never to prepare), the process that builds and signs, and where
    tickets are kept."""

    clock: Clock
    workshop: Workshop
    tickets: TicketStore = field(default_factory=MemoryTickets)


class OpenProvider(Protocol):
    """Inside a running event loop; reads the country's settings."""

    def __call__(self, tools: Tools) -> FiscalProvider: ...


class FiscalRegistry:
    """openers: by country. Without them, those of FOLDERS. tickets: without them, of this process alone. Close it at
    the end."""

    def __init__(
        self,
        clock: Clock,
        openers: Mapping[Country, OpenProvider] | None = None,
        tickets: TicketStore | None = None,
    ) -> None:
        self._tools = Tools(clock, Workshop(), tickets or MemoryTickets(clock.now))
        self._openers = openers
        self._open: dict[Country, FiscalProvider] = {}

    def provider(self, country: Country) -> FiscalProvider:
        """Raises CountryNotSupported."""
        found = self._open.get(country)
        if found is None:
            found = self._open[country] = self._opener(country)(self._tools)
        return found

    def serves(self, country: Country) -> bool:
        return country in (FOLDERS if self._openers is None else self._openers)

    async def close(self) -> None:
        for provider in self._open.values():
            await provider.close()
        await self._tools.workshop.close()

    def _opener(self, country: Country) -> OpenProvider:
        if not self.serves(country):
            raise CountryNotSupported(country)
        if self._openers is not None:
            return self._openers[country]
        opener: OpenProvider = import_module(f"fiscal.{FOLDERS[country]}.provider").open_provider
        return opener
