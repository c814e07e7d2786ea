"""Where the checkout is, and where what runs from it keeps its data."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]


def data_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder of data, logs and secrets of `up`: COBRO_DATA_DIR, or `.cobro` in the checkout."""
    configured = environment.get("COBRO_DATA_DIR")
    return Path(configured).expanduser().resolve() if configured else ROOT / ".cobro"


def checkout_id(path: Path = ROOT) -> str:
    """Twelve hexadecimal characters that tell this checkout from others on the same machine."""
    return hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
