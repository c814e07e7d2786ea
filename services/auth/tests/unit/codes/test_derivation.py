"""The digits of a code."""

from collections import Counter

from auth.codes.derivation import CodeDerivation
from kernel import new_id


def test_a_code_is_six_digits_and_always_the_same() -> None:
    derivation, code_id = CodeDerivation("s" * 32), new_id()
    code = derivation.of(code_id)
    assert len(code) == 6
    assert code.isascii()
    assert code.isdigit()
    assert derivation.of(code_id) == code == CodeDerivation("s" * 32).of(code_id)
    assert derivation.fits(code_id, code)


def test_it_follows_from_the_id_and_the_secret_together() -> None:
    ids = [new_id() for _ in range(50)]
    ours, theirs = ([CodeDerivation(secret).of(code_id) for code_id in ids] for secret in ("s" * 32, "t" * 32))
    assert len(set(ours)) > 45
    assert sum(mine == other for mine, other in zip(ours, theirs, strict=True)) < 3


def test_every_digit_is_as_likely_at_every_place() -> None:
    derivation = CodeDerivation("s" * 32)
    codes = [derivation.of(new_id()) for _ in range(20_000)]
    for place in range(6):
        counts = Counter(code[place] for code in codes)
        assert len(counts) == 10
        assert max(counts.values()) < 1.2 * min(counts.values())


def test_nothing_else_fits() -> None:
    derivation, code_id = CodeDerivation("s" * 32), new_id()
    code = derivation.of(code_id)
    for wrong in (f"{(int(code) + 1) % 10**6:06}", code[:5], f"{code}0", "", "ñ" * 6):
        assert not derivation.fits(code_id, wrong)
