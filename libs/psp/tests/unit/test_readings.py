from __future__ import annotations

import time

import pytest
from kernel import new_id
from psp.readings import creation_window


class TestCreationWindow:
    def test_our_ids_tell_their_time(self) -> None:
        before = int(time.time())
        window = creation_window(str(new_id()))
        assert window is not None
        assert window.first <= before - 500
        assert window.last >= before + 3000

    @pytest.mark.parametrize("reference", ["", "ord-1", "f47ac10b-58cc-4372-a567-0e02b2c3d479"])
    def test_another_reference_tells_none(self, reference: str) -> None:
        assert creation_window(reference) is None
