"""Generate the gRPC code from protos/, or with --check say whether the committed code is what the protos give.

Run from the repository's root. The code is committed so that nobody needs protoc to run a service.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

PROTOS = Path("protos")
TARGET = Path("libs/contracts/src")


def generate(target: Path) -> list[Path]:
    """Write the code below `target`; returns the written files, relative to it."""
    sources = sorted(map(str, PROTOS.rglob("*.proto")))
    if not sources:
        sys.exit("no .proto files below protos/: run this from the root of the repository")
    outputs = [f"--{kind}_out={target}" for kind in ("python", "pyi", "grpc_python")]
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTOS}", *outputs, *sources]
    subprocess.run(command, check=True)  # noqa: S603 - our own arguments
    return sorted(path.relative_to(target) for path in target.rglob("*_pb2*.py*") if path.suffix in {".py", ".pyi"})


def stale() -> list[str]:
    """Names of committed files that are missing, superfluous or different."""
    with tempfile.TemporaryDirectory() as scratch:
        fresh = generate(Path(scratch))
        committed = {path.relative_to(TARGET) for path in TARGET.rglob("*_pb2*") if path.suffix in {".py", ".pyi"}}
        changed = [
            path
            for path in fresh
            if path not in committed or (TARGET / path).read_bytes() != (Path(scratch) / path).read_bytes()
        ]
        return sorted(map(str, {*changed, *(committed - set(fresh))}))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m contracts.tooling.generate", description=__doc__)
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        generate(TARGET)
    elif names := stale():
        sys.exit("not what the protos give (run `make protos`):\n  " + "\n  ".join(names))


if __name__ == "__main__":
    main()
