import pytest
from chassis.crypto import BlindIndex, DecryptionFailed, FieldCipher, decode_key, key_id_of
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


@given(st.binary(max_size=2000))
def test_files_round_trip_bound_to_their_place(content: bytes) -> None:
    cipher = FieldCipher({"k1": NEW})
    sealed = cipher.encrypt_file(content, context="a/front")

    assert cipher.decrypt_file(sealed, context="a/front") == content
    assert len(sealed) == len("v1.k1.") + 12 + len(content) + 16
    with pytest.raises(DecryptionFailed):
        cipher.decrypt_file(sealed, context="b/front")


@pytest.mark.parametrize(
    "envelope", [b"", b"v1", b"v1.k1", b"v1.k1.", b"v2.k1.AAAA", b"v1.k9.AAAA", b"\xff.\xff.", b"v1.k1.A"]
)
def test_rubbish_is_no_file(envelope: bytes) -> None:
    with pytest.raises(DecryptionFailed):
        FieldCipher({"k1": NEW}).decrypt_file(envelope, context="c")


def test_an_envelope_names_its_key() -> None:
    cipher = FieldCipher({"2026-11": NEW})
    assert key_id_of(cipher.encrypt("x", context="c")) == "2026-11"
    assert key_id_of(cipher.encrypt_file(b"x", context="c")) == "2026-11"
    for other in ("", "plain text", "v1", "v1.k1", "v2.k1.x", "v1..x", "v1.a b.x", b"\xff\xd8\xff", f"v1.{'k' * 33}.x"):
        assert key_id_of(other) is None


def test_key_ids_that_could_be_mistaken_are_refused() -> None:
    for keys in ({"": NEW}, {"a.b": NEW}, {"k" * 33: NEW}, {"a b": NEW}, {}):
        with pytest.raises(ValueError):  # noqa: PT011
            FieldCipher(keys)
    with pytest.raises(ValueError, match="same id"):
        FieldCipher.parse(f"k1:{'A' * 43},k1:{'B' * 42}A")


def test_blind_index_depends_on_key_column_and_value() -> None:
    index = BlindIndex(NEW)
    assert index.of("a", column="x") == index.of("a", column="x")
    different = {index.of("a", column="x"), index.of("b", column="x"), index.of("a", column="y")}
    assert len({*different, BlindIndex(OLD).of("a", column="x")}) == 4


@pytest.mark.parametrize("key", ["", "short", "!" * 43, "A" * 44 + "=="])
def test_keys_of_the_wrong_size_are_refused(key: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        decode_key(key)
