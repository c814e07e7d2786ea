"""`docker-compose.yml` runs what `make up` runs, told the same, and shows no more of it to the world."""

import importlib
import os
import re
from typing import Any

import pytest
import yaml
from chassis.settings import CommonSettings, ServiceSettings, load
from stack.containers import SECRETS, STEP_USER, SecretFile, secret_files, user_of
from stack.environment import Addresses, SuiteEnvironment
from stack.infra.docker import IMAGES
from stack.infra.external import ExternalServer
from stack.infra.locate import Infrastructure
from stack.infra.server import Kind
from stack.repository import ROOT
from stack.secret_store import SecretStore
from stack.services import SERVICES, TWINS, TWINS_PORT, Service
from twins.settings import TwinsSettings

_VARIABLE = re.compile(r"(?<!\$)\$\{[A-Z_]+:-([^}]*)\}")
HOSTS = {Kind.POSTGRES: "postgres:5432", Kind.RABBITMQ: "rabbitmq:5672", Kind.REDIS: "redis:6379"}
STORE = SecretStore()
FILES = {file.name: file for file in secret_files(STORE, HOSTS)}
COMPOSE: dict[str, Any] = yaml.safe_load(_VARIABLE.sub(r"\1", (ROOT / "docker-compose.yml").read_text()))
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
OBSERVABILITY = {"prometheus", "grafana"}
OPTIONAL = OBSERVABILITY | {"nginx"}
STEPS = {"secrets", "provision", "topology", "seed", *(f"migrate-{s.name}" for s in SERVICES if s.has_database)}

of_every_service = pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
of_every_container = pytest.mark.parametrize("name", CONTAINERS)


def told(container: str) -> dict[str, str]:
    """A container's environment after its entrypoint."""
    stated = dict(CONTAINERS[container]["environment"])
    file: SecretFile = FILES[stated.pop("SECRETS_FILE").removeprefix("/run/cobro/")]
    return dict(line.split("=", 1) for line in file.content.splitlines()) | stated


def told_by_make_up() -> SuiteEnvironment:
    return SuiteEnvironment(
        name="local",
        addresses=Addresses(
            {s.name: s.http_port for s in SERVICES} | {TWINS: TWINS_PORT},
            {s.name: s.grpc_port for s in SERVICES if s.grpc_port is not None},
        ),
        secrets=STORE,
        infrastructure=Infrastructure(
            {kind: ExternalServer(kind, f"x://:p@{host}") for kind, host in HOSTS.items()}, way="urls"
        ),
        data=ROOT,
        caller={},
    )


def only_containers(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name not in {"PATH", "HOME"} and not name.startswith("PYTEST"):
            monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@of_every_service
def test_a_service_is_told_what_make_up_tells_it(service: Service) -> None:
    system = {name for name in told_by_make_up().of_service(service) if name in os.environ}
    expected = set(told_by_make_up().of_service(service)) - system - {f"{service.prefix}MIGRATION_DATABASE_URL"}
    # The loopback of a container is its own: nobody's endpoint is there.
    expected -= {"WEBHOOKS_ENDPOINT_LOOPBACK"}
    assert set(told(service.name)) == expected


def test_the_twins_are_told_what_make_up_tells_them() -> None:
    system = {name for name in told_by_make_up().of_twins() if name in os.environ}
    ignored_by_twins = {"ENVIRONMENT", "LOG_LEVEL"}
    expected = set(told_by_make_up().of_twins()) - system - ignored_by_twins | {"TWINS_PUBLIC_URL"}
    assert set(told(TWINS)) == expected


@of_every_service
def test_a_service_starts_with_what_it_is_told(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    only_containers(told(service.name), monkeypatch)
    module = importlib.import_module(f"{service.name}.settings")
    [settings_type] = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, ServiceSettings) and value is not ServiceSettings
    ]
    settings = load(settings_type)
    assert (settings.http_host, settings.http_port) == ("0.0.0.0", service.http_port)
    assert settings.grpc_port == service.grpc_port
    assert (settings.database_url is not None) == service.has_database
    assert settings.migration_database_url is None


@pytest.mark.parametrize("service", [s for s in SERVICES if s.has_database], ids=lambda service: service.name)
def test_a_migration_step_changes_its_own_schema(service: Service) -> None:
    step = CONTAINERS[f"migrate-{service.name}"]
    assert step["command"] == [service.name, "migrate"]
    assert step["image"] == CONTAINERS[service.name]["image"]
    assert f"//{service.name}_owner:" in told(f"migrate-{service.name}")[f"{service.prefix}MIGRATION_DATABASE_URL"]
    assert step["depends_on"] == {"provision": {"condition": "service_completed_successfully"}}


def test_the_twins_and_the_topology_step_start_with_what_they_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    only_containers(told(TWINS), monkeypatch)
    assert TwinsSettings().http_port == TWINS_PORT
    only_containers(told("topology"), monkeypatch)
    assert load(CommonSettings)


@of_every_service
def test_addresses_are_those_of_the_containers(service: Service) -> None:
    for other in SERVICES:
        environment = told(other.name)
        assert environment[f"{service.prefix}HTTP_URL"] == f"http://{service.name}:{service.http_port}"
        if service.grpc_port is not None:
            assert environment[f"{service.prefix}GRPC_TARGET"] == f"{service.name}:{service.grpc_port}"


@of_every_service
def test_a_service_runs_its_own_package_as_its_own_user(service: Service) -> None:
    container = CONTAINERS[service.name]
    assert container["command"] == [service.name, "all"]
    assert container["build"]["args"] == {"PACKAGE": f"services/{service.name}"}
    assert container["user"] == f"{user_of(service.http_port)}:10001"
    assert container["restart"] == "unless-stopped"


@of_every_service
def test_a_service_waits_for_what_it_cannot_start_without(service: Service) -> None:
    conditions = {name: wait["condition"] for name, wait in CONTAINERS[service.name]["depends_on"].items()}
    expected = {"redis": "service_healthy"}
    if service.has_database:
        done = "service_completed_successfully"
        expected |= {f"migrate-{service.name}": done, "topology": done}
    assert conditions == expected


def test_the_end_of_the_last_step_means_that_everything_is_healthy() -> None:
    waits = CONTAINERS["seed"]["depends_on"]
    assert waits.keys() == {service.name for service in SERVICES} | {TWINS}
    assert {wait["condition"] for wait in waits.values()} == {"service_healthy"}


def test_there_is_no_container_without_a_purpose() -> None:
    assert CONTAINERS.keys() == {s.name for s in SERVICES} | {TWINS} | STEPS | set(HOSTS) | OPTIONAL


def test_what_not_everybody_needs_is_off_unless_asked_for() -> None:
    assert {name for name, container in CONTAINERS.items() if container.get("profiles")} == OPTIONAL


@of_every_container
def test_versions_are_pinned(name: str) -> None:
    image, _, tag = CONTAINERS[name]["image"].rpartition(":")
    assert image
    assert tag not in {"", "latest"}


def test_the_servers_are_those_the_tests_run_against() -> None:
    assert {kind: CONTAINERS[kind]["image"] for kind in Kind} == IMAGES


@of_every_container
def test_only_the_gateway_and_the_twins_can_be_reached_and_only_from_this_machine(name: str) -> None:
    ports = CONTAINERS[name].get("ports", [])
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert bool(ports) == (name in {"gateway", TWINS} | OPTIONAL)


@of_every_container
def test_memory_and_logs_are_bounded(name: str) -> None:
    assert CONTAINERS[name]["mem_limit"]
    assert CONTAINERS[name]["logging"]["options"].keys() == {"max-size", "max-file"}


@pytest.mark.parametrize("name", sorted(STEPS | {s.name for s in SERVICES} | {TWINS}))
def test_our_containers_can_change_nothing_but_their_data(name: str) -> None:
    container = CONTAINERS[name]
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    writable = [volume for volume in container["volumes"] if not volume.endswith(":ro")]
    assert writable == {
        "secrets": ["secrets:/run/cobro"],
        "auth": ["documents:/var/lib/cobro"],
        "billing": ["objects:/var/lib/cobro"],
        TWINS: ["twins:/var/lib/cobro"],
    }.get(name, [])


@pytest.mark.parametrize("name", sorted(STEPS))
def test_a_step_runs_to_its_end_without_privileges(name: str) -> None:
    assert CONTAINERS[name]["restart"] == "no"
    assert CONTAINERS[name]["healthcheck"] == {"disable": True}
    # Files are given to other users by one step alone, which reaches nothing and nobody.
    assert CONTAINERS[name]["user"] == ("0:0" if name == "secrets" else f"{STEP_USER}:{STEP_USER}")
    assert (CONTAINERS[name].get("network_mode") == "none") == (name == "secrets")


def test_data_are_kept_in_named_volumes() -> None:
    kept = {str(kind): f"{kind}:" for kind in Kind}
    for name, prefix in kept.items():
        assert any(volume.startswith(prefix) for volume in CONTAINERS[name]["volumes"])
    used = {volume.split(":")[0] for container in CONTAINERS.values() for volume in container.get("volumes", [])}
    assert {volume for volume in used if not volume.startswith("./")} == set(COMPOSE["volumes"])


def test_mounted_files_exist() -> None:
    for container in CONTAINERS.values():
        for volume in container.get("volumes", []):
            source = volume.split(":")[0]
            assert not source.startswith("./") or (ROOT / source).exists(), source


@of_every_container
def test_no_secret_is_stated(name: str) -> None:
    stated = set(CONTAINERS[name].get("environment", {}))
    assert not stated & SECRETS
    assert not {variable for variable in stated if re.search("PASSWORD|DATABASE_URL|ADMIN_URL", variable)}


def test_both_generations_of_compose_understand_the_file() -> None:
    assert "name" not in COMPOSE
    assert "include" not in COMPOSE
    for name, container in CONTAINERS.items():
        assert all(isinstance(value, str) for value in container.get("environment", {}).values()), name
        assert all(wait.keys() == {"condition"} for wait in container.get("depends_on", {}).values()), name
        # The old one pulls an image whose container has no build of its own, even where another builds it.
        assert ("build" in container) == container["image"].startswith("cobro/"), name
