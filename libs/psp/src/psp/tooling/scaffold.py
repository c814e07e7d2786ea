"""Write what a new payment provider begins with: its six modules, failing tests, the skeleton of its twin, settings.

`python -m psp.tooling.scaffold COUNTRY NAME [--title TITLE]`, in the root of the repository.
docs/add-a-payment-provider.md says what comes next.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

from kernel import Country

FOLDERS: Final[Mapping[Country, str]] = {
    Country.MX: "mexico",
    Country.CO: "colombia",
    Country.AR: "argentina",
    Country.CL: "chile",
}
_NAME: Final = re.compile(r"[a-z][a-z0-9]{1,30}", re.ASCII)
_ENVIRONMENT: Final = "environment.txt"


class ScaffoldError(Exception):
    """What was asked for cannot be written. The message is for whoever asked."""


def scaffold(root: Path, country: Country, name: str, title: str) -> list[Path]:
    """The files that were written; to `.env.example`, which is there, lines are only added.

    Raises ScaffoldError, before anything is written.
    """
    if _NAME.fullmatch(name) is None:
        raise ScaffoldError(f"{name!r} is no name: small letters and digits, as in the webhook's address")
    if re.fullmatch(r"[^\"\\{}\n]{1,30}", title) is None:
        raise ScaffoldError(f"{title!r} is no title: it is written into code")
    example = root / ".env.example"
    if not (root / "libs/psp/src/psp").is_dir() or not example.is_file():
        raise ScaffoldError(f"{root} is not the root of the repository")
    if list((root / "libs/psp/src/psp").glob(f"*/{name}")) or (root / "tools/twins/src/twins" / name).exists():
        raise ScaffoldError(f"{name} is there already")
    words = {
        "NEWPSP": name.upper(),
        "NewPsp": name.capitalize(),
        "newpsp": name,
        "New Title": title,
        "newcountry": FOLDERS[country],
        "NEWCOUNTRY": country.value,
        "NEWCURRENCY": country.currency.value,
    }
    places = {
        "provider": root / "libs/psp/src/psp" / FOLDERS[country] / name,
        "twin": root / "tools/twins/src/twins" / name,
        "tests": root / "libs/psp/tests",
    }
    templates = files("psp.tooling") / "templates"
    written = []
    for kind, place in places.items():
        for template in sorted((templates / kind).iterdir(), key=lambda entry: entry.name):
            path = place / _filled(template.name.removesuffix(".txt").replace("--", "/"), words)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_filled(template.read_text(encoding="utf-8"), words), encoding="utf-8")
            written.append(path)
    with example.open("a", encoding="utf-8") as file:
        file.write(_filled((templates / _ENVIRONMENT).read_text(encoding="utf-8"), words))
    return [*written, example]


def _filled(text: str, words: Mapping[str, str]) -> str:
    return re.sub("|".join(words), lambda found: words[found[0]], text)


def _country(text: str) -> Country:
    by_folder = {folder: country for country, folder in FOLDERS.items()}
    try:
        return by_folder.get(text.lower()) or Country(text.upper())
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(by_folder)}") from None


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m psp.tooling.scaffold", description=__doc__)
    parser.add_argument("country", type=_country, help="its folder or its code")
    parser.add_argument("name", help="small letters and digits")
    parser.add_argument("--title", help="as people write it")
    parser.add_argument("--root", type=Path, default=Path())
    given = parser.parse_args(arguments)
    try:
        written = scaffold(given.root, given.country, given.name, given.title or given.name.capitalize())
    except ScaffoldError as error:
        parser.error(str(error))
    sys.stdout.writelines(f"{path}\n" for path in written)


if __name__ == "__main__":
    main()
