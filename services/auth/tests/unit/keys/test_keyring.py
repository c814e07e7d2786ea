"""Keys from seeds."""

import base64

import pytest
from auth.keys.keyring import Keyring

# RFC 8037 appendix A: a seed, its public key, and the thumbprint of that key.
SEED = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
PUBLIC = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


async def test_the_published_key_is_the_one_of_rfc_8037() -> None:
    keyring = Keyring(SEED)
    assert keyring.public() == [
        {"kty": "OKP", "crv": "Ed25519", "x": PUBLIC, "kid": THUMBPRINT, "use": "sig", "alg": "Ed25519"}
    ]
    assert await keyring.key(THUMBPRINT) is not None
    assert await keyring.key("another") is None


def test_others_are_published_after_the_signing_one() -> None:
    other = base64.urlsafe_b64encode(bytes(range(32))).decode()
    keyring = Keyring(SEED, [other])
    assert keyring.public()[0]["kid"] == keyring.signing_key_id == THUMBPRINT
    assert len(keyring.public()) == 2
    assert all("d" not in key for key in keyring.public())


@pytest.mark.parametrize("seed", ["", "abc", "A" * 20, base64.urlsafe_b64encode(bytes(31)).decode(), "ñ" * 43])
def test_a_seed_has_32_bytes(seed: str) -> None:
    with pytest.raises(ValueError, match="key"):
        Keyring(seed)
