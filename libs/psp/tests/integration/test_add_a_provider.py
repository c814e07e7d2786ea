"""docs/add-a-payment-provider.md, followed to the letter in a copy of the tree."""

from __future__ import annotations

import difflib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest
from kernel import Country
from psp.registry import PROVIDERS
from psp.testing.contract import ProviderContract
from psp.tooling.scaffold import ScaffoldError, scaffold

ROOT = Path(__file__).parents[4]
DOCUMENT = ROOT / "docs" / "add-a-payment-provider.md"
COPIED = ("libs/psp", "tools/twins", "docs", ".env.example", "pyproject.toml")
REGISTRY = Path("libs/psp/src/psp/registry.py")


@dataclass(frozen=True)
class Step:
    language: str
    text: str


def steps() -> list[Step]:
    return [Step(*found) for found in re.findall(r"^```(sh|diff)\n(.*?)^```", DOCUMENT.read_text(), re.M | re.S)]


def contents(root: Path) -> dict[Path, str]:
    found = {}
    for place in COPIED:
        files = [root / place] if (root / place).is_file() else (root / place).rglob("*")
        for file in files:
            if file.is_file() and not {"__pycache__", ".hypothesis"} & set(file.parts):
                found[file.relative_to(root)] = file.read_text()
    return found


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for place in COPIED:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / place).is_file():
            shutil.copy(ROOT / place, tmp_path / place)
        else:
            shutil.copytree(ROOT / place, tmp_path / place, ignore=shutil.ignore_patterns("__pycache__", ".hypothesis"))
    return tmp_path


def run(tree: Path, command: str) -> subprocess.CompletedProcess[str]:
    """As in the root of a repository that is this tree, with its own psp and twins."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{tree / 'libs/psp/src'}{os.pathsep}{tree / 'tools/twins/src'}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_ADDOPTS": "-p no:cacheprovider --junit-xml=report.xml",
        "RUFF_NO_CACHE": "true",
    }
    return subprocess.run(command, shell=True, cwd=tree, env=environment, capture_output=True, text=True, check=False)


def report(tree: Path) -> dict[str, str]:
    """Test → how it ended: passed, or what it failed with."""
    ends = {}
    for case in ElementTree.parse(tree / "report.xml").iter("testcase"):
        assert case.find("error") is None, case.get("name")
        failure = case.find("failure")
        ends[f"{case.get('classname')}::{case.get('name')}"] = "passed" if failure is None else failure.text or ""
    return ends


def register(tree: Path, diff: str) -> None:
    before, after = (
        "".join(line[1:] for line in diff.splitlines(keepends=True) if line.startswith(sign)) for sign in "-+"
    )
    text = (tree / REGISTRY).read_text()
    assert text.count(before) == 1, "the document shows another line than there is"
    (tree / REGISTRY).write_text(text.replace(before, after))


@pytest.mark.timeout(300)
def test_the_document_is_followed_to_the_letter(tree: Path) -> None:
    before = contents(tree)
    failing: dict[str, str] = {}
    passing: dict[str, str] = {}
    for step in steps():
        if step.language == "diff":
            register(tree, step.text)
            continue
        for command in step.text.splitlines():
            promised = command.partition("#")[2].strip() == "fails"
            done = run(tree, command)
            assert done.returncode == (1 if promised else 0), f"{command}\n{done.stdout}\n{done.stderr}"
            if command.startswith("pytest"):
                (failing if promised else passing).update(report(tree))
    after = contents(tree)

    changed = {path for path in before if before[path] != after.get(path)}
    assert changed == {REGISTRY, Path(".env.example"), Path("docs/payment-providers.md")}
    lines = list(difflib.unified_diff(before[REGISTRY].splitlines(), after[REGISTRY].splitlines(), n=0, lineterm=""))
    assert len([line for line in lines if re.match(r"-(?!--)", line)]) == 1
    assert len([line for line in lines if re.match(r"\+(?!\+\+)", line)]) == 1
    assert after[Path(".env.example")].startswith(before[Path(".env.example")])

    # Every rule of the contract was asked of the new provider, and fails for want of what the document says to write.
    rules = {name for name in vars(ProviderContract) if name.startswith("test_")}
    asked = {name.rpartition("::")[2].partition("[")[0]: end for name, end in failing.items() if "TestNovapay" in name}
    assert rules <= set(asked)
    ends = [end for name, end in failing.items() if "test_novapay" in name]
    assert sum("NotImplementedError: novapay: " in end for end in ends) > len(ends) * 0.6
    # And the rest of the house stands, the new one in it.
    assert set(passing.values()) == {"passed"}
    assert any("[novapay]" in name for name in passing)


def test_the_new_files_are_in_the_style_of_the_house(tree: Path) -> None:
    done = run(tree, steps()[0].text)
    assert done.returncode == 0
    written = " ".join(path for path in done.stdout.split() if path.endswith(".py"))
    assert "adapter.py" in written
    for command in ("ruff check", "ruff format --check"):
        done = run(tree, f"{command} {written}")
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("", "A"),
        ("Nova", "A"),
        ("../x", "A"),
        ("nova-pay", "A"),
        ("9a", "A"),
        ("khipu", "A"),
        ("nova", '"'),
        ("nova", ""),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is(tree: Path, name: str, title: str) -> None:
    before = contents(tree)
    with pytest.raises(ScaffoldError):
        scaffold(tree, Country.CL, name, title)
    assert contents(tree) == before


def test_elsewhere_than_in_the_repository_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(ScaffoldError):
        scaffold(tmp_path, Country.CL, "nova", "Nova")
    assert not list(tmp_path.iterdir())


def test_the_document_shows_the_providers_there_are() -> None:
    diff = next(step.text for step in steps() if step.language == "diff")
    assert all(f'"{folder}"' in diff for folder in PROVIDERS)
