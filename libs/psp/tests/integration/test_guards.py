"""What stands around every adapter, whatever its provider: rate, circuit, and no word of a secret.

The servers here are hostile: they answer badly, and repeat to us all that we sent.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import logging
import os
import re
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from kernel import Money, SystemClock, new_id
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from psp.provider import (
    Adapter,
    BuyerDevice,
    Customer,
    ExpectedPayment,
    IdentityDocument,
    IntentRequest,
    PaymentProvider,
    ProviderError,
    ProviderUnavailable,
    RefundRequest,
    WebhookRequest,
)
from psp.registry import ADAPTERS, PROVIDERS
from pydantic_settings import BaseSettings

EXAMPLE = Path(__file__).parents[4] / ".env.example"
# A form of reference that every provider's is of.
REF = "1234567890"
BEHAVIOURS = ("garbage", "nothing", "bad_request", "unauthorized", "not_found", "limited", "broken", "down", "hangs")

each_adapter = pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.name)


@dataclass
class Hostile:
    """Behaves as told; its errors quote the request, headers and all, wherever a text may stand."""

    url: str = ""
    behaviour: str = "garbage"
    calls: int = 0
    seen: list[str] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.calls += 1
        quoted = f"{dict(request.headers)} {(await request.read()).decode()}"
        self.seen.append(quoted)
        texts = dict.fromkeys(("message", "error", "description", "detail", "debug_message"), quoted)
        errors = [texts | {"code": quoted, "field": "amount"}]
        body = json.dumps({**texts, "code": "ERROR", "details": errors, "errors": errors, "cause": errors})
        match self.behaviour:
            case "hangs":
                await asyncio.sleep(1)
            case "garbage":
                return web.Response(text=body[:-1], content_type="application/json")
            case "down":
                return web.Response(status=503)
            case "nothing":
                return web.Response(text="{}", content_type="application/json")
        statuses = {"bad_request": 400, "unauthorized": 401, "not_found": 404, "limited": 429, "broken": 503}
        status = statuses.get(self.behaviour, 200)
        return web.Response(status=status, text=body, content_type="application/json", headers={"Retry-After": "1"})


@pytest.fixture
async def hostile() -> AsyncIterator[Hostile]:
    hostile = Hostile()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", hostile.handle)
    async with TestServer(app, shutdown_timeout=0) as server:
        hostile.url = f"http://{server.host}:{server.port}"
        yield hostile


def settings_of(adapter: Adapter) -> type[BaseSettings]:
    folder = next(folder for folder in PROVIDERS if folder.endswith(f".{adapter.name}"))
    module = importlib.import_module(f"psp.{folder}.settings")
    found = [
        value
        for _, value in inspect.getmembers(module, inspect.isclass)
        if issubclass(value, BaseSettings) and value.__module__ == module.__name__
    ]
    return found[0]


def configure(adapter: Adapter, monkeypatch: pytest.MonkeyPatch, **values: str) -> list[str]:
    """As the example of the environment says, and with secrets that can be recognised: those are answered."""
    kind = settings_of(adapter)
    prefix = kind.model_config["env_prefix"]
    for name in os.environ:
        if name.startswith(prefix):
            monkeypatch.delenv(name)
    for name, value in re.findall(rf"^({prefix}[A-Z_]+)=(.*)$", EXAMPLE.read_text(), re.MULTILINE):
        monkeypatch.setenv(name, value.strip("'"))
    secrets = []
    for name, about in kind.model_fields.items():
        if "SecretStr" in str(about.annotation):
            secret = f"s3cret{name.replace('_', '')}{new_id().hex}"
            monkeypatch.setenv(f"{prefix}{name}".upper(), secret)
            secrets.append(secret)
    for name, value in {"timeout_seconds": "0.2", **values}.items():
        monkeypatch.setenv(f"{prefix}{name}".upper(), value)
    return secrets


async def ask_everything(provider: PaymentProvider) -> list[BaseException]:
    """Every verb once; what went wrong."""
    amount = Money(5_000_000, provider.currency)
    customer = Customer("Ana Ruiz", "ana@example.com", "+573001234567", IdentityDocument("CC", "1020304050"))
    device = BuyerDevice("192.0.2.1", "Mozilla/5.0", "session", "cookie")
    refund = RefundRequest(new_id(), REF, amount)
    verbs: list[Any] = [
        provider.create_payment_intent(
            IntentRequest(
                reference=new_id(),
                amount=amount,
                method=method,
                description="Café",
                expires_at=SystemClock().now() + timedelta(minutes=30),
                customer=customer,
                bank="1022",
                page_url="https://shop.example.com/pay",
                device=device,
            )
        )
        for method in provider.capabilities.methods
    ]
    verbs += [
        provider.banks(),
        provider.generate_qr_code(REF),
        provider.fetch_payment(REF),
        provider.find_payment(str(new_id())),
        provider.confirm_payment(ExpectedPayment(REF, str(new_id()), amount)),
        provider.cancel(REF),
        provider.refund(refund),
        provider.fetch_refund(REF, "1"),
        provider.find_refund(refund),
    ]
    outcomes = await asyncio.gather(*verbs, return_exceptions=True)
    errors: list[BaseException] = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    for verify in (provider.verify_webhook_signature, provider.parse_webhook):
        try:
            verify(WebhookRequest(b'{"id": "1"}', {"x-signature": "ts=1,v1=00", "digest": "AA=="}))
        except ProviderError as error:
            errors.append(error)
    return errors


def told(errors: list[BaseException]) -> Iterator[str]:
    """All that an error could come to say in a log: itself, its fields, and those it came from."""
    for error in errors:
        current: BaseException | None = error
        while current is not None:
            yield "".join(traceback.format_exception(current)) + repr(vars(current)) + repr(current.args)
            current = current.__cause__ or current.__context__


def shown(spans: tuple[ReadableSpan, ...]) -> Iterator[str]:
    for span in spans:
        yield span.to_json()


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    tracing = TracerProvider()
    tracing.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr("chassis.telemetry.tracing._tracer", tracing.get_tracer("test"))
    monkeypatch.setattr("chassis.telemetry.tracing._sampling.may_record", True)
    return exporter


@each_adapter
async def test_no_secret_is_told_whatever_the_provider_does(
    adapter: Adapter,
    hostile: Hostile,
    spans: InMemorySpanExporter,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    secrets = configure(adapter, monkeypatch, api_url=hostile.url)
    assert secrets
    errors: list[BaseException] = []
    with caplog.at_level(logging.DEBUG):
        for hostile.behaviour in BEHAVIOURS:
            provider = adapter.open(SystemClock())
            new = await ask_everything(provider)
            assert all(isinstance(error, ProviderError) for error in new), hostile.behaviour
            errors += new
            logging.getLogger("test").warning("%r %r", provider, vars(provider))
            for error in new:
                logging.getLogger("test").error("failed", exc_info=error)
            await provider.close()
    exported = spans.get_finished_spans()
    # The servers did get the secrets, and much was said: a test that hears nothing proves nothing.
    assert any(secret in quoted for quoted in hostile.seen for secret in secrets)
    assert len(errors) >= len(BEHAVIOURS)
    assert len(exported) >= hostile.calls > len(BEHAVIOURS)
    said = [caplog.text, *told(errors), *shown(exported)]
    for secret in secrets:
        for text in said:
            assert secret not in text
    assert not any("ana@example.com" in text or "1020304050" in text for text in said)


@each_adapter
async def test_our_calls_are_bounded(adapter: Adapter, hostile: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(adapter, monkeypatch, api_url=hostile.url, calls_per_second="2", call_wait_seconds="0")
    hostile.behaviour = "not_found"
    provider = adapter.open(SystemClock())
    outcomes = await asyncio.gather(*(provider.fetch_payment(REF) for _ in range(20)), return_exceptions=True)
    await provider.close()
    refused = [error for error in outcomes if isinstance(error, ProviderUnavailable)]
    assert 2 <= hostile.calls <= 3
    assert len(refused) >= 17
    assert {(error.code, error.retry_after) for error in refused} == {("too_many_calls", 1)}


@each_adapter
async def test_a_failing_provider_is_left_alone_and_no_other_with_it(
    adapter: Adapter, hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = next(one for one in ADAPTERS if one.name != adapter.name)
    configure(adapter, monkeypatch, api_url=hostile.url)
    configure(other, monkeypatch, api_url=hostile.url)
    hostile.behaviour = "down"
    async with AsyncExitStack() as opened:
        failing, healthy = adapter.open(SystemClock()), other.open(SystemClock())
        opened.push_async_callback(failing.close)
        opened.push_async_callback(healthy.close)
        for _ in range(10):
            with pytest.raises(ProviderUnavailable):
                await failing.fetch_payment(REF)
        assert hostile.calls == 10
        with pytest.raises(ProviderUnavailable) as caught:
            await failing.fetch_payment(REF)
        assert caught.value.code == "circuit_open"
        assert caught.value.retry_after in range(1, 6)
        assert hostile.calls == 10
        with pytest.raises(ProviderUnavailable) as reached:
            await healthy.fetch_payment(REF)
        assert reached.value.code != "circuit_open"
        assert hostile.calls == 11
