"""The list of banks: asked for rarely, and there while its provider is not."""

import asyncio
from datetime import timedelta

import pytest
from kernel import FixedClock, RuleViolation, Unavailable
from payments.methods.banks import BankLists
from psp.argentina.mercadopago.adapter import MercadoPagoAdapter
from psp.colombia.payu.adapter import PayuAdapter
from psp.provider import Bank, ProviderUnavailable

BANKS = (Bank("1022", "Unión"), Bank("1007", "Bancolombia"))


class FakeCache:
    def __init__(self):
        self.kept = {}

    async def get(self, key):
        return self.kept.get(key)

    async def set(self, key, value, *, ttl):
        assert ttl == 3600
        self.kept[key] = value


class FakeProvider:
    name = "payu"
    capabilities = PayuAdapter.capabilities

    def __init__(self):
        self.calls = 0
        self.down = False

    async def banks(self):
        self.calls += 1
        await asyncio.sleep(0)
        if self.down:
            raise ProviderUnavailable("payu", "unreachable")
        return BANKS


async def test_asked_for_once_by_all_processes():
    cache, clock, provider = FakeCache(), FixedClock(), FakeProvider()
    lists = BankLists(cache, clock)
    assert await asyncio.gather(*(lists.of(provider) for _ in range(5))) == [BANKS] * 5
    assert await BankLists(cache, clock).of(provider) == BANKS
    assert provider.calls == 1
    clock.advance(timedelta(hours=1))
    cache.kept.clear()
    assert await lists.of(provider) == BANKS
    assert provider.calls == 2


async def test_what_was_seen_serves_for_a_day_and_then_it_says_so():
    cache, clock, provider = FakeCache(), FixedClock(), FakeProvider()
    lists = BankLists(cache, clock)
    await lists.of(provider)
    cache.kept.clear()
    provider.down = True
    clock.advance(timedelta(hours=23))
    assert await lists.of(provider) == BANKS
    clock.advance(timedelta(hours=1))
    with pytest.raises(Unavailable) as raised:
        await lists.of(provider)
    assert raised.value.code == "banks_unavailable"
    await lists.check(provider, "whatever")  # then the provider decides


async def test_what_cannot_be_read_in_the_cache_is_fetched():
    cache, provider = FakeCache(), FakeProvider()
    cache.kept["banks:payu"] = [1, "x"]
    assert await BankLists(cache, FixedClock()).of(provider) == BANKS


async def test_a_bank_that_is_not_listed():
    lists = BankLists(FakeCache(), FixedClock())
    with pytest.raises(RuleViolation):
        await lists.check(FakeProvider(), "9999")
    await lists.check(FakeProvider(), "1007")


async def test_a_provider_that_asks_the_buyer_itself_is_not_asked():
    provider = FakeProvider()
    provider.capabilities = MercadoPagoAdapter.capabilities
    assert await BankLists(FakeCache(), FixedClock()).of(provider) == ()
    assert provider.calls == 0
