import pytest
from kernel import Currency, Money
from payments.settings import PaymentsSettings
from pydantic import ValidationError

CONTEXT = {
    "common": {
        "rabbitmq_url": "amqp://x",
        "redis_url": "redis://x",
        "jwks_url": "http://x",
        "service_auth_secret": "x" * 32,
        "field_encryption_keys": "k:x",
        "blind_index_key": "x",
    },
    "http_port": 1,
}


def test_a_limit_given_for_one_currency_leaves_the_others_as_they_are() -> None:
    settings = PaymentsSettings.model_validate({**CONTEXT, "max_amounts": "MXN:100.50, CLP:9000"})
    assert settings.max_amounts[Currency.MXN] == Money.of("100.50", Currency.MXN)
    assert settings.max_amounts[Currency.CLP] == Money.of(9000, Currency.CLP)
    assert settings.max_amounts[Currency.COP].minor > 0


def test_every_currency_has_a_limit() -> None:
    settings = PaymentsSettings.model_validate(CONTEXT)
    assert set(settings.max_amounts) == set(Currency)


@pytest.mark.parametrize("wrong", ["USD:5", "MXN:abc", "CLP:10.5"])
def test_a_limit_that_is_no_money_stops_the_process(wrong: str) -> None:
    with pytest.raises(ValidationError):
        PaymentsSettings.model_validate({**CONTEXT, "max_amounts": wrong})
