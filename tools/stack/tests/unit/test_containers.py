"""Each container finds its own secrets and nobody else's."""

import subprocess
from pathlib import Path

import pytest
from stack.containers import SECRETS, SecretFile, secret_files
from stack.infra.server import Kind
from stack.repository import ROOT
from stack.secret_store import SecretStore
from stack.services import SERVICES, WITH_DATABASE, Service, find

STORE = SecretStore()
HOSTS = {Kind.POSTGRES: "postgres:5432", Kind.RABBITMQ: "rabbitmq:5672", Kind.REDIS: "redis:6379"}
FILES = {file.name: file for file in secret_files(STORE, HOSTS)}
ENTRYPOINT = ROOT / "deploy/docker/entrypoint.sh"


def variables(file: SecretFile) -> dict[str, str]:
    return dict(line.split("=", 1) for line in file.content.splitlines())


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_service_runs_as_a_user_of_its_own(service: Service) -> None:
    owners = [FILES[f"{other.name}.env"].owner for other in SERVICES] + [FILES["twins.env"].owner]
    assert owners.count(FILES[f"{service.name}.env"].owner) == 1


def test_a_service_is_told_only_what_it_may_know() -> None:
    everyone = {"RABBITMQ_URL", "REDIS_URL", "SERVICE_AUTH_SECRET", "FIELD_ENCRYPTION_KEYS", "BLIND_INDEX_KEY"}
    for service in SERVICES:
        own = {f"{service.prefix}DATABASE_URL"} if service.has_database else set()
        told = set(variables(FILES[f"{service.name}.env"]))
        assert told == everyone | own | (SECRETS & set(service.knows)), service.name


@pytest.mark.parametrize("name", WITH_DATABASE)
def test_only_the_migration_step_may_change_the_structure(name: str) -> None:
    owner_address = f"{find(name).prefix}MIGRATION_DATABASE_URL"
    holders = [file.name for file in FILES.values() if file.name.endswith(".env") and owner_address in variables(file)]
    assert holders == [f"migrate-{name}.env"]
    assert FILES[f"migrate-{name}.env"].owner not in {FILES[f"{service.name}.env"].owner for service in SERVICES}


def test_the_administrators_passwords_are_for_the_servers_and_the_provisioning_step() -> None:
    password = STORE.administrators().postgres
    assert {file.name for file in FILES.values() if password in file.content} == {"postgres-password", "provision.env"}


def test_addresses_name_the_containers() -> None:
    sales = variables(FILES["sales.env"])
    assert "@postgres:5432/cobro" in sales["SALES_DATABASE_URL"]
    assert sales["RABBITMQ_URL"].endswith("@rabbitmq:5672/")
    assert sales["REDIS_URL"].endswith("@redis:6379/0")


def run_entrypoint(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The entrypoint with a `python` that prints its arguments and environment."""
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$*"\nenv -0\n')
    python.chmod(0o755)
    path = f"{tmp_path}:/usr/bin:/bin"
    return subprocess.run(
        ["sh", str(ENTRYPOINT), *arguments],
        env={"PATH": path, "PACKAGE": "services/sales", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def environment_of(result: subprocess.CompletedProcess[str]) -> dict[str, str]:
    _, _, output = result.stdout.partition("\n")
    return dict(item.split("=", 1) for item in output.split("\0") if "=" in item)


@pytest.mark.parametrize("file", [file for file in FILES.values() if file.name.endswith(".env")], ids=lambda f: f.name)
def test_the_entrypoint_hands_the_values_on_as_they_are(file: SecretFile, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.write_text(file.content)
    result = run_entrypoint(tmp_path, "sales", "all", SECRETS_FILE=str(secrets))
    assert result.returncode == 0, result.stderr
    assert variables(file).items() <= environment_of(result).items()


def test_nothing_in_a_value_is_expanded(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.write_text("# COMMENT=1\nA= $HOME `id` \\n \"q\" 'r' =b \n\nLAST=no newline")
    told = environment_of(run_entrypoint(tmp_path, "m", SECRETS_FILE=str(secrets)))
    assert (told["A"], told["LAST"]) == (" $HOME `id` \\n \"q\" 'r' =b ", "no newline")
    assert "COMMENT" not in told


def test_a_variable_that_is_set_wins(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.write_text("A=file\nB=file\n")
    told = environment_of(run_entrypoint(tmp_path, "m", SECRETS_FILE=str(secrets), A="mine", B=""))
    assert (told["A"], told["B"]) == ("mine", "")


def test_without_its_secrets_nothing_starts(tmp_path: Path) -> None:
    result = run_entrypoint(tmp_path, "sales", "all", SECRETS_FILE=str(tmp_path / "absent"))
    assert result.returncode != 0
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("package", "arguments", "expected"),
    [
        ("services/sales", (), "-m sales all"),
        ("tools/twins", (), "-m twins"),
        ("services/sales", ("sales", "migrate"), "-m sales migrate"),
    ],
)
def test_what_an_image_runs(package: str, arguments: tuple[str, ...], expected: str, tmp_path: Path) -> None:
    result = run_entrypoint(tmp_path, *arguments, PACKAGE=package)
    assert result.stdout.splitlines()[0] == expected
