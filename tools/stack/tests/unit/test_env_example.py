"""`.env.example` names every variable there is, with values that work."""

import importlib
import inspect
import os
import re
import subprocess
from collections.abc import Iterator
from types import ModuleType

import pytest
from chassis.crypto import BlindIndex, FieldCipher
from chassis.settings import CommonSettings, PeerSettings, ServiceSettings, load
from pydantic_settings import BaseSettings
from stack.commands.infra import TEST_VARIABLES
from stack.infra.locate import URL_VARIABLES
from stack.repository import ROOT
from stack.services import SERVICES
from twins.settings import TwinsSettings

EXAMPLE = ROOT / ".env.example"
ASSIGNMENT = re.compile(r"^(#?)([A-Z][A-Z0-9_]*)=(.*)$")
LINES = [match.groups() for match in map(ASSIGNMENT.match, EXAMPLE.read_text().splitlines()) if match]
NAMES = [name for _, name, _ in LINES]

# Docker's own, compose's own, and those only a person at a keyboard gives to make.
FOREIGN = {"DOCKER_HOST", "PATH", "PYTEST_XDIST_WORKER"}
OF_COMPOSE_ITSELF = {"COMPOSE_PROJECT_NAME"}


def settings_classes() -> Iterator[type[BaseSettings]]:
    yield CommonSettings
    yield PeerSettings
    yield TwinsSettings
    for file in (ROOT / "tools/twins/src").glob("twins/*/settings.py"):
        yield from declared_in(importlib.import_module(f"twins.{file.parent.name}.settings"))
    for service in SERVICES:
        yield from declared_in(importlib.import_module(f"{service.name}.settings"))
    for file in (ROOT / "libs/psp/src").glob("psp/*/*/settings.py"):
        module = ".".join(file.relative_to(ROOT / "libs/psp/src").with_suffix("").parts)
        yield from declared_in(importlib.import_module(module))
    for file in (ROOT / "libs/fiscal/src").glob("fiscal/*/settings.py"):
        yield from declared_in(importlib.import_module(f"fiscal.{file.parent.name}.settings"))


def declared_in(module: ModuleType) -> list[type[BaseSettings]]:
    found = [
        value
        for _, value in inspect.getmembers(module, inspect.isclass)
        if issubclass(value, BaseSettings) and value.__module__ == module.__name__
    ]
    assert found, f"{module.__name__} declares no settings"
    return found


def variables(settings: type[BaseSettings]) -> dict[str, str]:
    """Name of the variable → name of the field."""
    prefix = settings.model_config.get("env_prefix", "")
    found = {
        str(field.validation_alias) if field.validation_alias else f"{prefix}{name}".upper(): name
        for name, field in settings.model_fields.items()
        if not (inspect.isclass(field.annotation) and issubclass(field.annotation, BaseSettings))
    }
    if prefix == "GATEWAY_":
        for absent in ("GRPC_PORT", "DATABASE_URL", "MIGRATION_DATABASE_URL", "DB_POOL_SIZE"):
            del found[f"{prefix}{absent}"]
    return found


CLASSES = list(settings_classes())


def read_by_code() -> set[str]:
    """What our tools and libraries read from the environment without a settings class."""
    found = {*URL_VARIABLES.values(), *TEST_VARIABLES.values()}
    for file in [
        *ROOT.glob("tools/*/src/**/*.py"),
        *ROOT.glob("libs/*/src/**/*.py"),
        *ROOT.glob("services/*/src/**/*.py"),
    ]:
        found |= set(re.findall(r"environ(?:ment)?(?:\.get\(|\[)\"([A-Z_]+)\"", file.read_text()))
    return found - FOREIGN


def read_by_containers() -> set[str]:
    compose = (ROOT / "docker-compose.yml").read_text()
    entrypoint = (ROOT / "deploy/docker/entrypoint.sh").read_text()
    return set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", compose)) | set(re.findall(r"\$\{([A-Z_]+):-\}", entrypoint))


def values_in_a_shell() -> dict[str, str]:
    script = f'set -a; . "{EXAMPLE}"; env -0'
    output = subprocess.run(["sh", "-c", script], env={}, capture_output=True, text=True, check=True).stdout
    return dict(item.split("=", 1) for item in output.split("\0") if "=" in item)


@pytest.fixture
def only_the_example(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name in NAMES or name.endswith(("_URL", "_TARGET")):
            monkeypatch.delenv(name)
    for commented, name, value in LINES:
        if not commented:
            monkeypatch.setenv(name, value)


@pytest.mark.parametrize("settings", CLASSES, ids=lambda settings: settings.__name__)
def test_every_setting_is_named(settings: type[BaseSettings]) -> None:
    assert set(variables(settings)) <= set(NAMES)


def test_every_variable_of_the_tools_is_named() -> None:
    assert read_by_code() | read_by_containers() <= set(NAMES)


def test_no_variable_is_named_that_nobody_reads() -> None:
    known = {name for settings in CLASSES for name in variables(settings)}
    assert set(NAMES) <= known | read_by_code() | read_by_containers() | OF_COMPOSE_ITSELF


def test_no_variable_is_named_twice() -> None:
    assert len(NAMES) == len(set(NAMES))


def test_a_shell_reads_the_values_as_they_stand() -> None:
    given = values_in_a_shell()
    assert {name: value for commented, name, value in LINES if not commented}.items() <= given.items()


@pytest.mark.usefixtures("only_the_example")
@pytest.mark.parametrize("settings", CLASSES, ids=lambda settings: settings.__name__)
def test_the_values_make_valid_settings(settings: type[BaseSettings]) -> None:
    assert load(settings)


@pytest.mark.usefixtures("only_the_example")
def test_the_example_keys_are_keys() -> None:
    common = load(CommonSettings)
    cipher = FieldCipher.parse(common.field_encryption_keys.get_secret_value())
    assert cipher.decrypt(cipher.encrypt("x", context="y"), context="y") == "x"
    assert BlindIndex.parse(common.blind_index_key.get_secret_value())


@pytest.mark.usefixtures("only_the_example")
@pytest.mark.parametrize("settings", CLASSES, ids=lambda settings: settings.__name__)
def test_a_commented_value_is_the_default(settings: type[BaseSettings], monkeypatch: pytest.MonkeyPatch) -> None:
    without = load(settings)
    fields = variables(settings)
    shown = {fields[name]: (name, value.strip("'")) for commented, name, value in LINES if commented and name in fields}
    for name, value in shown.values():
        monkeypatch.setenv(name, value)
    with_shown = load(settings)
    for field in shown:
        default = getattr(without, field)
        # What is None when unset is shown with an example instead.
        if default is not None:
            assert getattr(with_shown, field) == default, field


def test_a_service_may_use_what_provisioning_made() -> None:
    values = {name: value for _, name, value in LINES}
    for service in SERVICES:
        if service.has_database:
            assert f"//{service.name}_app:" in values[f"{service.prefix}DATABASE_URL"]
            assert f"//{service.name}_owner:" in values[f"{service.prefix}MIGRATION_DATABASE_URL"]


def test_ports_are_the_usual_ones() -> None:
    values = {name: value for _, name, value in LINES}
    for service in SERVICES:
        assert values[f"{service.prefix}HTTP_PORT"] == str(service.http_port)
        if service.grpc_port is not None:
            assert values[f"{service.prefix}GRPC_PORT"] == str(service.grpc_port)


def test_settings_are_found_for_every_service() -> None:
    prefixes = {
        settings.model_config.get("env_prefix") for settings in CLASSES if issubclass(settings, ServiceSettings)
    }
    assert prefixes == {service.prefix for service in SERVICES}
