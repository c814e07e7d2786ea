import pytest
from chassis.crypto import BlindIndex, DecryptionFailed, FieldCipher, decode_key
from hypothesis import given
from hypothesis import strategies as st

OLD, NEW = b"o" * 32, b"n" * 32


@given(st.text(), st.text(max_size=50))
def test_round_trip(plain: str, context: str) -> None:
    cipher = FieldCipher({"k1": NEW})
    context = context.encode("utf-8", "replace").decode()
    plain = plain.encode("utf-8", "replace").decode()
    assert cipher.decrypt(cipher.encrypt(plain, context=context), context=context) == plain


def test_the_same_value_never_looks_the_same() -> None:
    cipher = FieldCipher({"k1": NEW})
    assert len({cipher.encrypt("+525512345678", context="users.phone:1") for _ in range(1000)}) == 1000


def test_a_value_moved_to_another_row_does_not_decrypt() -> None:
    cipher = FieldCipher({"k1": NEW})
    sealed = cipher.encrypt("secret", context="users.phone:1")
    with pytest.raises(DecryptionFailed):
        cipher.decrypt(sealed, context="users.phone:2")


@pytest.mark.parametrize(
    "envelope", ["", "v1", "v1.k1", "v1.k1.", "v2.k1.AAAA", "v1.k9.AAAA", "v1.k1.!!!", "v1.k1.AAAA"]
)
def test_rubbish_does_not_decrypt(envelope: str) -> None:
    with pytest.raises(DecryptionFailed):
        FieldCipher({"k1": NEW}).decrypt(envelope, context="c")


def test_rotation_reads_the_old_and_writes_the_new() -> None:
    before = FieldCipher({"k1": OLD})
    after = FieldCipher({"k2": NEW, "k1": OLD})
    sealed = before.encrypt("Lupita", context="c")

    assert after.decrypt(sealed, context="c") == "Lupita"
    assert not after.is_current(sealed)
    assert after.is_current(after.encrypt("Lupita", context="c"))


def test_blind_index_depends_on_key_column_and_value() -> None:
    index = BlindIndex(NEW)
    assert index.of("a", column="x") == index.of("a", column="x")
    different = {index.of("a", column="x"), index.of("b", column="x"), index.of("a", column="y")}
    assert len({*different, BlindIndex(OLD).of("a", column="x")}) == 4


@pytest.mark.parametrize("key", ["", "short", "!" * 43, "A" * 44 + "=="])
def test_keys_of_the_wrong_size_are_refused(key: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        decode_key(key)
