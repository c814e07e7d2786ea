"""Every alert and every panel asks for metrics that exist, with labels they have."""

import ast
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from contracts.events.registry import QUEUES, Lane
from stack.repository import ROOT
from stack.services import SERVICES

FOLDER = ROOT / "deploy/observability"
PROMETHEUS: dict[str, Any] = yaml.safe_load((FOLDER / "prometheus/prometheus.yml").read_text())
ALERTS: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((FOLDER / "prometheus/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "grafana/dashboards/cobro.json").read_text())
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]

EXPRESSIONS = {f"alert {rule['alert']}": str(rule["expr"]) for rule in ALERTS} | {
    f"panel {panel['title']} {target['refId']}": str(target["expr"]) for panel in PANELS for target in panel["targets"]
}
# Added by Prometheus, or renamed by it because a target has a label of that name.
_OF_PROMETHEUS = {"job", "instance", "le"}
_RENAMED = {"exported_job": "job"}
# Not ours: the RabbitMQ plugin's, the Python client's own, and Prometheus's.
_FOREIGN = {
    "rabbitmq_detailed_queue_messages_ready": {"queue", "vhost"},
    "rabbitmq_detailed_queue_consumers": {"queue", "vhost"},
    "process_resident_memory_bytes": set(),
    "process_cpu_seconds_total": set(),
    "up": set(),
}
_SUFFIXES = {"Counter": ("",), "Gauge": ("",), "Histogram": ("_bucket", "_sum", "_count")}


def metrics() -> dict[str, set[str]]:
    """Every series our code gives, with its labels, read from where they are made."""
    found: dict[str, set[str]] = {}
    for file in [*ROOT.glob("libs/*/src/**/*.py"), *ROOT.glob("services/*/src/**/*.py")]:
        text = file.read_text()
        if "prometheus_client" not in text:
            continue
        for call in ast.walk(ast.parse(text)):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in _SUFFIXES:
                name = ast.literal_eval(call.args[0])
                labels = set(ast.literal_eval(call.args[2])) if len(call.args) > 2 else set()
                if call.func.id == "Counter":
                    assert name.endswith("_total"), f"{file}: the client would add _total to {name}"
                found |= {f"{name}{suffix}": labels for suffix in _SUFFIXES[call.func.id]}
    return found


METRICS = metrics() | _FOREIGN


def asked(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Each metric of an expression with the labels its selector names."""
    without_texts = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression)
    for match in re.finditer(r"\b([a-z_]+:?[a-z_0-9]+)\b(?:\s*\{([^}]*)\})?", without_texts):
        name, selector = match.groups()
        if selector is not None or name.startswith(("cobro_", "rabbitmq_", "process_")):
            yield name, set(re.findall(r"([a-z_]+)\s*(?:=~|!~|!=|=)", selector or ""))


def grouped(expression: str) -> set[str]:
    return {label.strip() for group in re.findall(r"\bby \(([^)]*)\)", expression) for label in group.split(",")}


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_an_expression_asks_for_metrics_that_exist(expression: str) -> None:
    names = [name for name, _ in asked(expression)]
    assert names
    assert set(names) <= METRICS.keys()


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_an_expression_asks_for_labels_that_exist(expression: str) -> None:
    everything: set[str] = set()
    for name, labels in asked(expression):
        renamed = {_RENAMED.get(label, label) for label in labels}
        assert renamed <= METRICS[name] | _OF_PROMETHEUS, name
        everything |= METRICS[name]
    assert {_RENAMED.get(label, label) for label in grouped(expression)} <= everything | _OF_PROMETHEUS


def test_the_scan_sees_the_metrics_of_libraries_and_services() -> None:
    assert METRICS["cobro_bus_messages_total"] == {"queue", "outcome"}
    assert METRICS["cobro_http_request_seconds_bucket"] == {"service", "method", "route", "status"}
    assert METRICS["cobro_payments_unresolved_oldest_seconds"] == {"kind"}


def test_a_misspelt_metric_would_be_noticed() -> None:
    assert list(asked('sum by (queue) (rate(cobro_bus_mesages_total{outcome="x",queue!~"a{2}"}[5m]))')) == [
        ("cobro_bus_mesages_total", {"outcome", "queue"})
    ]
    assert "cobro_bus_mesages_total" not in METRICS


def test_what_must_wake_someone_is_watched() -> None:
    names = [rule["alert"] for rule in ALERTS]
    assert len(names) == len(set(names))
    assert {
        *("ServiceDown", "HighErrorRate", "OutboxOldest", "OutboxParked", "DeadLetters", "QueueLag", "JobStale"),
        *("PaymentsUnresolved", "PaymentsDisputed", "SalesOverdue", "WebhooksForged"),
    } <= set(names)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_how_urgent_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"]
    runbook = rule["annotations"].get("runbook")
    assert runbook is None or (ROOT / runbook).exists()


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_a_summary_names_only_labels_the_alert_has(rule: dict[str, Any]) -> None:
    named = set(re.findall(r"\$labels\.([a-z_]+)", rule["annotations"]["summary"]))
    aggregated = grouped(rule["expr"])
    available = aggregated or {label for name, _ in asked(rule["expr"]) for label in METRICS[name]} | _OF_PROMETHEUS
    assert named <= available


def test_the_runbooks_of_the_repository_are_pointed_at() -> None:
    """What happens by itself, by an alert; what is done on purpose, by a page that a reader meets."""
    alerts = {rule["annotations"].get("runbook") for rule in ALERTS}
    pages = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("docs/adr/*.md"), *ROOT.glob("*/*/README.md")]
    read = "".join(page.read_text() for page in pages)
    runbooks = {str(file.relative_to(ROOT)) for file in ROOT.glob("docs/runbooks/*.md")}
    assert {runbook for runbook in runbooks - alerts if runbook not in read} == set()


def test_the_critical_queues_are_those_of_the_registry() -> None:
    [rule] = [rule for rule in ALERTS if rule["alert"] == "CriticalQueueLag"]
    [pattern] = re.findall(r'queue=~"([^"]*)"', rule["expr"])
    assert set(pattern.split("|")) == {queue.name for queue in QUEUES if queue.lane is Lane.CRITICAL}


def test_every_service_is_scraped() -> None:
    [job] = [job for job in PROMETHEUS["scrape_configs"] if job["job_name"] == "cobro"]
    targets = [target for config in job["static_configs"] for target in config["targets"]]
    assert sorted(targets) == sorted(f"{service.name}:{service.http_port}" for service in SERVICES)


def test_panels_are_numbered_once_and_ask_the_provisioned_source() -> None:
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(numbers) == len(set(numbers))
    [source] = yaml.safe_load((FOLDER / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"]
    assert {target["datasource"]["uid"] for panel in PANELS for target in panel["targets"]} == {source["uid"]}


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize("arguments", [("check", "config", "prometheus.yml"), ("test", "rules", "alerts_test.yml")])
def test_promtool_agrees(arguments: tuple[str, ...]) -> None:
    result = subprocess.run(
        ["promtool", *arguments], cwd=FOLDER / "prometheus", capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_files_stay_where_containers_mount_them() -> None:
    mounted = [Path("prometheus/alerts.yml"), Path("grafana/provisioning/dashboards/cobro.yml")]
    assert all((FOLDER / file).exists() for file in mounted)
    [rules] = PROMETHEUS["rule_files"]
    assert (FOLDER / "prometheus" / rules).exists()
