"""What goes into an image: one package, what it declares to need, and pinned versions."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from stack.repository import ROOT

DOCKER = ROOT / "deploy/docker"
PACKAGES = sorted(
    str(file.parent.relative_to(ROOT))
    for folder in ("services", "tools")
    for file in ROOT.glob(f"{folder}/*/pyproject.toml")
)


def assemble(package: str, target: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(DOCKER / "assemble.py"), str(ROOT), package, str(target)],
        capture_output=True,
        text=True,
        check=False,
    )


def packages_in(target: Path) -> set[str]:
    return {str(folder.parent.relative_to(target)) for folder in target.glob("*/*/src")}


def test_a_service_comes_with_the_libraries_it_declares_and_without_other_services(tmp_path: Path) -> None:
    assert assemble("services/catalog", tmp_path / "app").returncode == 0
    assert packages_in(tmp_path / "app") == {"services/catalog", "libs/kernel", "libs/contracts", "libs/chassis"}


def test_a_library_behind_a_library_comes_too(tmp_path: Path) -> None:
    assert assemble("services/payments", tmp_path / "app").returncode == 0
    assert "libs/psp" in packages_in(tmp_path / "app")


def test_migrations_are_at_hand_and_tests_are_not(tmp_path: Path) -> None:
    assert assemble("services/sales", tmp_path / "app").returncode == 0
    assert (tmp_path / "app/services/sales/migrations/env.py").exists()
    assert not list((tmp_path / "app").glob("**/tests"))


def test_python_finds_every_copied_package(tmp_path: Path) -> None:
    assert assemble("tools/stack", tmp_path / "app").returncode == 0
    roots = (tmp_path / "app/cobro.pth").read_text().splitlines()
    assert {Path(root).parent for root in roots} == {tmp_path / "app" / name for name in packages_in(tmp_path / "app")}
    assert all(list(Path(root).glob("*/__pycache__/*.pyc")) for root in roots)


def test_the_same_source_gives_the_same_layer(tmp_path: Path) -> None:
    assert assemble("libs/kernel", tmp_path / "app").returncode == 0
    first = {file: file.read_bytes() for file in (tmp_path / "app").glob("**/*") if file.is_file()}
    shutil.rmtree(tmp_path / "app")
    assert assemble("libs/kernel", tmp_path / "app").returncode == 0
    assert {file: file.read_bytes() for file in (tmp_path / "app").glob("**/*") if file.is_file()} == first
    # Bytecode that is found by the source's hash instead of its time, which differs between checkouts (PEP 552).
    flags = {content[4:8] for file, content in first.items() if file.suffix == ".pyc"}
    assert flags == {b"\x01\x00\x00\x00"}


@pytest.mark.parametrize("package", ["services/none", "sales", ".", "libs"])
def test_what_is_no_package_is_refused_by_name(package: str, tmp_path: Path) -> None:
    result = assemble(package, tmp_path / "app")
    assert result.returncode == 1
    assert "PACKAGE is" in result.stderr
    assert not (tmp_path / "app").exists()


def blocks(lock: Path) -> dict[str, str]:
    """Name of a requirement → its whole entry with hashes."""
    entries = re.split(r"\n(?=\S)", lock.read_text().strip())
    return {re.split(r"[=\[ ]", entry, maxsplit=1)[0].lower(): entry for entry in entries}


def test_images_get_what_the_tests_ran_with() -> None:
    tested, shipped = blocks(ROOT / "requirements.lock"), blocks(DOCKER / "requirements.lock")
    different = [name for name, entry in shipped.items() if tested.get(name) != entry]
    assert not different, "run `make lock`"


def test_images_get_everything_that_is_declared() -> None:
    shipped = blocks(DOCKER / "requirements.lock")
    for file in ROOT.glob("*/*/pyproject.toml"):
        for requirement in tomllib.loads(file.read_text())["project"]["dependencies"]:
            name = re.split(r"[\[<>=~! ]", requirement, maxsplit=1)[0].lower()
            assert name.startswith("cobro-") or name in shipped, f"{file.parent.name} needs {name}: run `make lock`"


def test_images_get_no_development_tools() -> None:
    assert (
        blocks(DOCKER / "requirements.lock")
        .keys()
        .isdisjoint({"pytest", "mypy", "ruff", "uv", "testcontainers", "hatchling"})
    )


def test_every_version_is_pinned_by_hash() -> None:
    for name, entry in blocks(DOCKER / "requirements.lock").items():
        assert "==" in entry, name
        assert "--hash=sha256:" in entry, name


def test_the_build_needs_no_builder_in_particular() -> None:
    dockerfile = (DOCKER / "Dockerfile").read_text()
    instructions = [line for line in dockerfile.splitlines() if not line.startswith("#")]
    assert "# syntax=" not in dockerfile.splitlines()[0]
    assert not any("--mount" in line or "--link" in line for line in instructions)


def test_an_image_does_not_run_as_root() -> None:
    users = re.findall(r"^USER (\S+)", (DOCKER / "Dockerfile").read_text(), re.MULTILINE)
    assert users == ["10001:10001"]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_that_runs_can_be_assembled(package: str, tmp_path: Path) -> None:
    result = assemble(package, tmp_path / "app")
    assert result.returncode == 0, result.stderr
