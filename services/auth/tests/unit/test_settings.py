"""What the service refuses to start with."""

import base64

import pytest
from auth.settings import AuthSettings
from chassis.settings import load

KEY = base64.urlsafe_b64encode(bytes(32)).decode()
COMPLETE = {
    "RABBITMQ_URL": "amqp://localhost",
    "REDIS_URL": "redis://localhost",
    "JWKS_URL": "http://localhost/.well-known/jwks.json",
    "SERVICE_AUTH_SECRET": "s" * 32,
    "FIELD_ENCRYPTION_KEYS": f"k1:{KEY}",
    "BLIND_INDEX_KEY": KEY,
    "AUTH_HTTP_PORT": "8101",
    "JWT_SECRET": KEY,
    "JWT_REFRESH_SECRET": "r" * 32,
    "PASSWORD_PEPPER": "p" * 32,
    "AUTH_OBJECT_STORE_URL": "file:///documents",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in COMPLETE.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_secrets_have_no_prefix_and_never_show(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AUTH_PREVIOUS_JWT_SECRETS", f"{KEY}, {KEY}")
    settings = load(AuthSettings)
    assert settings.jwt_secret.get_secret_value() == KEY
    assert len(settings.previous_jwt_secrets) == 2
    assert settings.bcrypt_cost == 12
    assert KEY not in repr(settings)


@pytest.mark.parametrize("name", ["JWT_SECRET", "JWT_REFRESH_SECRET", "PASSWORD_PEPPER"])
def test_a_missing_secret_ends_the_process_with_its_name(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.delenv(name)
    with pytest.raises(SystemExit, match=rf"settings: {name} "):
        load(AuthSettings)


def test_a_bad_seed_ends_the_process_without_showing_it(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("JWT_SECRET", "much-too-short")
    with pytest.raises(SystemExit, match="JWT_SECRET") as ended:
        load(AuthSettings)
    assert "much-too-short" not in str(ended.value)


def test_production_does_not_weaken_its_hashes(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AUTH_BCRYPT_COST", "10")
    assert load(AuthSettings).bcrypt_cost == 10
    environment.setenv("ENVIRONMENT", "production")
    with pytest.raises(SystemExit, match="AUTH_BCRYPT_COST"):
        load(AuthSettings)
