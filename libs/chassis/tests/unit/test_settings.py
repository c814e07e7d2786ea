import pytest
from chassis.settings import CommonSettings, ServiceSettings, load
from chassis.testing.service import COMMON
from pydantic_settings import SettingsConfigDict


class TillSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="TILL_", extra="ignore", frozen=True)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in {
        **COMMON,
        "RABBITMQ_URL": "amqp://u:p@h/",
        "REDIS_URL": "redis://h",
        "TILL_HTTP_PORT": "1",
    }.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.parametrize("name", ["SERVICE_AUTH_SECRET", "FIELD_ENCRYPTION_KEYS", "RABBITMQ_URL", "JWKS_URL"])
def test_a_missing_variable_ends_the_process_with_its_name(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.delenv(name)
    with pytest.raises(SystemExit, match=name):
        load(TillSettings)


def test_a_bad_value_is_named_but_not_shown(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SERVICE_AUTH_SECRET", "hunter2")
    with pytest.raises(SystemExit) as stopped:
        load(TillSettings)
    assert "SERVICE_AUTH_SECRET" in str(stopped.value)
    assert "hunter2" not in str(stopped.value)


def test_secrets_do_not_print(environment: pytest.MonkeyPatch) -> None:
    settings = load(TillSettings)
    assert COMMON["SERVICE_AUTH_SECRET"] not in repr(settings)


def test_the_ladder_is_a_list_of_seconds(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BUS_RETRY_LADDER", "0.1,2,30")
    assert load(CommonSettings).bus_retry_ladder == (0.1, 2.0, 30.0)
