"""Puts one package of the workspace, and those of ours it depends on, into the folder an image runs from.

`python assemble.py SOURCE PACKAGE TARGET`: PACKAGE is a folder below SOURCE. Every package keeps its place below TARGET
(services find their migrations by it, and the stack its configuration); only code and migrations are taken.
`TARGET/cobro.pth` is what an editable install would write. A dependency that no pyproject.toml declares is not there,
so that an image does not even start with an undeclared one.
"""

import compileall
import py_compile
import shutil
import sys
import tomllib
from pathlib import Path

PREFIX = "cobro-"
TAKEN = ("src", "migrations")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.egg-info")


def main(source: Path, package: str, target: Path) -> None:
    """Copy, list and compile."""
    projects = {
        str(tomllib.loads(file.read_text())["project"]["name"]): file.parent
        for file in sorted(source.glob("*/*/pyproject.toml"))
    }
    wanted = closure(projects, source / package)
    target.mkdir(parents=True)
    for folder in wanted:
        for part in TAKEN:
            if (folder / part).is_dir():
                shutil.copytree(folder / part, target / folder.relative_to(source) / part, ignore=LEFT_OUT)
    roots = sorted(str(target / folder.relative_to(source) / "src") for folder in wanted)
    (target / "cobro.pth").write_text("".join(f"{root}\n" for root in roots))
    # By hash and not by time, so that the same source gives the same layer.
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    if not all(compileall.compile_dir(root, quiet=1, invalidation_mode=mode) for root in roots):
        sys.exit("some modules do not compile")


def closure(projects: dict[str, Path], package: Path) -> set[Path]:
    """The folder of a package and of every package of ours it needs, directly or not."""
    if package not in projects.values():
        sys.exit(f"PACKAGE is {package.name!r}: no folder of the workspace, such as services/sales")
    found: set[Path] = set()
    pending = [package]
    while pending:
        folder = pending.pop()
        if folder in found:
            continue
        found.add(folder)
        declared = tomllib.loads((folder / "pyproject.toml").read_text())["project"]["dependencies"]
        names = [name.partition("[")[0] for name in declared]
        pending += [projects[name] for name in names if name.startswith(PREFIX)]
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
