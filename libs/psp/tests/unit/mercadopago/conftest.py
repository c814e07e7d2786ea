from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parent / "samples"


@pytest.fixture(scope="session")
def sample() -> Callable[[str], bytes]:
    """What Mercado Pago sends, as its QR guide shows it. Its orders are Brazilian; ours would name ARG and ARS."""
    return lambda name: (SAMPLES / f"{name}.json").read_bytes()
