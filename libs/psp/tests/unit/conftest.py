from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parent / "samples"


@pytest.fixture(scope="session")
def sample() -> Callable[[str], bytes]:
    """What Conekta sends, as its specification and fixtures show it, with our metadata in place of theirs."""
    return lambda name: (SAMPLES / f"{name}.json").read_bytes()
