import pytest
from kernel import Country, Currency, Money
from payments.intents.limits import limit_of
from payments.settings import PaymentsSettings
from pydantic import ValidationError


@pytest.fixture
def read(monkeypatch):
    """Settings as the environment gives them."""
    monkeypatch.setenv("PAYMENTS_HTTP_PORT", "1")
    for name in ("RABBITMQ_URL", "REDIS_URL", "JWKS_URL"):
        monkeypatch.setenv(name, "x://x")
    for name in ("SERVICE_AUTH_SECRET", "FIELD_ENCRYPTION_KEYS", "BLIND_INDEX_KEY"):
        monkeypatch.setenv(name, "x" * 40)

    def build(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return PaymentsSettings()

    return build


def pesos(amount):
    return Money.of(amount, Currency.MXN)


@pytest.mark.parametrize(("level", "most"), [(0, 50_000), (1, 200_000), (2, 500_000), (None, 500_000), (9, 500_000)])
def test_the_more_is_known_of_a_merchant_the_more_a_payment_may_be(read, level, most):
    assert limit_of(read(), Country.MX, Currency.MXN, level) == pesos(most)


def test_every_country_has_rising_limits(read):
    chosen = read()
    for country in Country:
        levels = [limit_of(chosen, country, country.currency, level) for level in (0, 1, 2)]
        assert levels == sorted(levels)
        assert levels[0] < levels[2]


def test_limits_that_are_named_replace_the_defaults_and_never_exceed_the_largest(read):
    chosen = read(PAYMENTS_KYC_LIMITS="MX:0:100.50, MX:2:900000", PAYMENTS_MAX_AMOUNTS="MXN:600000")
    assert limit_of(chosen, Country.MX, Currency.MXN, 0) == pesos("100.50")
    assert limit_of(chosen, Country.MX, Currency.MXN, 1) == pesos(200_000)
    assert limit_of(chosen, Country.MX, Currency.MXN, 2) == pesos(600_000)
    assert limit_of(chosen, Country.CL, Currency.CLP, 0) == Money.of(2_500_000, Currency.CLP)


@pytest.mark.parametrize("text", ["MX:100", "XX:0:100", "MX:x:100", "MX:0:ten", "MX:0:-1"])
def test_what_is_no_limit_is_refused(read, text):
    with pytest.raises(ValidationError):
        read(PAYMENTS_KYC_LIMITS=text)
