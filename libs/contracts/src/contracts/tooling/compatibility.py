"""Contracts only grow: fail on a removed or retyped field of a proto or an event, against main.

On a branch the base is where it left main; on main itself, the commit before. CONTRACTS_BASE names another.

The two sides are compared as plain descriptions: {"<message or event>": {"<field>": "<type>"}}.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorSet

from contracts.events.registry import EVENTS

Description = Mapping[str, Mapping[str, str]]


def describe_events() -> dict[str, dict[str, str]]:
    """Every event's fields, nested ones as paths, with their JSON types."""
    return {f"event {name}": _schema_fields(model.model_json_schema(by_alias=True)) for name, model in EVENTS.items()}


def _schema_fields(schema: Mapping[str, Any]) -> dict[str, str]:
    definitions = schema.get("$defs", {})
    fields: dict[str, str] = {}

    def walk(node: Mapping[str, Any], path: str) -> None:
        if "$ref" in node:
            node = definitions[str(node["$ref"]).rsplit("/", 1)[-1]]
        if "anyOf" in node:
            for choice in node["anyOf"]:
                if choice.get("type") != "null":
                    walk(choice, path)
            return
        if node.get("type") == "array":
            walk(node["items"], f"{path}[]")
            return
        if "properties" in node:
            for name, child in node["properties"].items():
                walk(child, f"{path}.{name}" if path else name)
            return
        fields[path] = f"{node.get('type', 'any')}{':' + node['format'] if 'format' in node else ''}"

    walk(schema, "")
    return fields


def describe_protos(root: Path) -> dict[str, dict[str, str]]:
    """Every message's fields by number, and every RPC with its types, of the protos below `root`."""
    sources = sorted(map(str, root.rglob("*.proto")))
    with tempfile.NamedTemporaryFile() as output:
        command = [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            f"-I{root}",
            f"--descriptor_set_out={output.name}",
            *sources,
        ]
        subprocess.run(command, check=True)  # noqa: S603 - our own arguments
        files = FileDescriptorSet.FromString(Path(output.name).read_bytes()).file
    described: dict[str, dict[str, str]] = {}
    for file in files:
        for message in file.message_type:
            fields = {str(field.number): f"{field.name} {_field_type(field)}" for field in message.field}
            described[f"message {file.package}.{message.name}"] = fields
        for service in file.service:
            methods = {method.name: f"{method.input_type} -> {method.output_type}" for method in service.method}
            described[f"service {file.package}.{service.name}"] = methods
    return described


def _field_type(field: FieldDescriptorProto) -> str:
    label = "repeated " if field.label == FieldDescriptorProto.LABEL_REPEATED else ""
    return f"{label}{field.type_name or FieldDescriptorProto.Type.Name(field.type)}"


def breaks(before: Description, now: Description) -> list[str]:
    """What a party built against `before` would miss in `now`."""
    problems = []
    for name, fields in before.items():
        if name not in now:
            problems.append(f"{name} is gone")
            continue
        for field, kind in fields.items():
            if field not in now[name]:
                problems.append(f"{name}: {field} ({kind}) is gone")
            elif now[name][field] != kind:
                problems.append(f"{name}: {field} was {kind}, is {now[name][field]}")
    return problems


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return done.stdout.strip() if done.returncode == 0 else ""


def _base() -> str:
    head = _git("rev-parse", "HEAD")
    fork = _git("merge-base", "HEAD", "main")
    return os.environ.get("CONTRACTS_BASE") or (fork if fork and fork != head else _git("rev-parse", "HEAD~1"))


def _describe(base: str, scratch: Path) -> Description | None:
    """The contracts as `base` has them; None where it has none."""
    archive = scratch / "base.tar"
    for command in (
        ["git", "archive", f"--output={archive}", base, "protos", "libs/contracts", "libs/kernel"],
        ["tar", "-xf", str(archive), "-C", str(scratch)],
    ):
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:  # noqa: S603
            return None
    path = os.pathsep.join(str(scratch / "libs" / name / "src") for name in ("contracts", "kernel"))
    script = "import json, contracts.tooling.compatibility as c; print(json.dumps(c.describe_events()))"
    events = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": path}, capture_output=True, check=False
    )
    if events.returncode != 0:
        return None
    return {**json.loads(events.stdout), **describe_protos(scratch / "protos")}


def main() -> None:
    base = _base()
    with tempfile.TemporaryDirectory() as scratch:
        before = _describe(base, Path(scratch)) if base else None
    if before is None:
        sys.stdout.write(f"no contracts in {base or 'a first commit'} to compare with\n")
        return
    if problems := breaks(before, {**describe_events(), **describe_protos(Path("protos"))}):
        sys.exit("contracts only grow:\n  " + "\n  ".join(problems))


if __name__ == "__main__":
    main()
