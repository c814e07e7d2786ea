"""An answer of PayU that is no success: its HTTP status counts before anything that it says."""

from __future__ import annotations

import pytest
from psp.colombia.payu import wire
from psp.colombia.payu.mapping import failure
from psp.provider import OutcomeUnknown, ProviderNotConfigured, ProviderUnavailable


@pytest.mark.parametrize("status", [500, 502, 503, 504, 302, 408])
@pytest.mark.parametrize("text", ["Invalid credentials", "order does not exist", "solicitud en proceso", None])
def test_a_failing_server_has_said_nothing(status: int, text: str | None) -> None:
    answer = wire.Answer(code="ERROR", error=text)
    assert isinstance(failure(status, answer, write=True), OutcomeUnknown)
    assert isinstance(failure(status, answer, write=False), ProviderUnavailable)


@pytest.mark.parametrize("status", [200, 400, 401, 403])
def test_refused_credentials_are_told(status: int) -> None:
    assert isinstance(
        failure(status, wire.Answer(code="ERROR", error="Invalid credentials"), write=True), ProviderNotConfigured
    )
