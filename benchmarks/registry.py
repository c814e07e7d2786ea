"""Finds the groups: every module of `benchmarks.groups` has one, as GROUP."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence

from benchmarks import groups as package
from benchmarks.bench import Group, GroupAlone


class UnknownGroup(Exception):
    """`--only` names a group that is not there."""


def groups() -> list[Group | GroupAlone]:
    """In the order in which they run."""
    modules = [
        importlib.import_module(found.name) for found in pkgutil.iter_modules(package.__path__, "benchmarks.groups.")
    ]
    found: list[Group | GroupAlone] = [module.GROUP for module in modules]
    return sorted(found, key=lambda group: (group.order, group.name))


def chosen(found: Sequence[Group | GroupAlone], *, only: str | None, quick: bool) -> list[Group | GroupAlone]:
    """Raises UnknownGroup."""
    if only is None:
        return [group for group in found if not (quick and group.slow)]
    wanted = {name.strip() for name in only.split(",")}
    if unknown := wanted - {group.name for group in found}:
        raise UnknownGroup(f"no such group: {', '.join(sorted(unknown))}; there are {', '.join(g.name for g in found)}")
    return [group for group in found if group.name in wanted]
