"""The contract can be kept, in every shape that a country has."""

from __future__ import annotations

import pytest
from fiscal.testing.contract import FiscalContract
from fiscal.testing.fake import SHAPES, FakeWorld


class TestFake(FiscalContract):
    @pytest.fixture(params=sorted(SHAPES))
    def world(self, request: pytest.FixtureRequest) -> FakeWorld:
        return FakeWorld(request.param)
