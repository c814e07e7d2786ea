"""Secrets are made once, kept for their owner only, and have the form their readers expect."""

import stat
from pathlib import Path

import pytest
from chassis.crypto import FieldCipher, decode_key
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from stack.secret_store import SecretStore


def test_opening_again_gives_the_same_secrets(tmp_path: Path) -> None:
    file = tmp_path / "secrets.env"
    assert dict(SecretStore(file)) == dict(SecretStore(file))


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    file = tmp_path / "secrets.env"
    SecretStore(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_missing_secret_is_added_and_the_others_stay(tmp_path: Path) -> None:
    file = tmp_path / "secrets.env"
    before = dict(SecretStore(file))
    file.write_text("".join(f"{name}={value}\n" for name, value in before.items() if name != "REDIS_PASSWORD"))
    after = dict(SecretStore(file))
    assert after.pop("REDIS_PASSWORD") != before.pop("REDIS_PASSWORD")
    assert after == before


def test_two_stores_share_no_secret() -> None:
    one, other = SecretStore(), SecretStore()
    assert all(one[name] != other[name] for name in one)


@pytest.mark.parametrize("name", ["JWT_SECRET", "JWT_REFRESH_SECRET", "PASSWORD_PEPPER", "BLIND_INDEX_KEY"])
def test_keys_are_32_bytes_of_base64url(name: str) -> None:
    assert len(decode_key(SecretStore()[name])) == 32


def test_field_encryption_keys_can_be_parsed() -> None:
    cipher = FieldCipher.parse(SecretStore()["FIELD_ENCRYPTION_KEYS"])
    assert cipher.current_key_id.startswith("k")


def test_the_conekta_keys_belong_together_and_stand_in_one_line() -> None:
    store = SecretStore()
    private_text, public_text = store["TWINS_CONEKTA_PRIVATE_KEY"], store["CONEKTA_WEBHOOK_PUBLIC_KEY"]
    assert "\n" not in private_text + public_text
    private = serialization.load_pem_private_key(private_text.replace("\\n", "\n").encode(), None)
    public = serialization.load_pem_public_key(public_text.replace("\\n", "\n").encode())
    assert isinstance(private, rsa.RSAPrivateKey)
    assert isinstance(public, rsa.RSAPublicKey)
    public.verify(private.sign(b"x", padding.PKCS1v15(), hashes.SHA256()), b"x", padding.PKCS1v15(), hashes.SHA256())


def test_database_passwords_differ_by_role_and_stay() -> None:
    store = SecretStore()
    passwords = {role: store.database_password(role) for role in ("auth_app", "auth_owner", "sales_app")}
    assert len(set(passwords.values())) == 3
    assert passwords == {role: store.database_password(role) for role in passwords}


def test_no_secret_shows_when_the_store_is_printed() -> None:
    store = SecretStore()
    assert not any(value in repr(store) for value in store.values())
    assert not any(
        store[name] in repr(store.administrators()) for name in ("POSTGRES_ADMIN_PASSWORD", "REDIS_PASSWORD")
    )
