import pytest
from notifications.channels.segments import fits_one_segment


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("", True),
        ("a" * 160, True),
        ("a" * 161, False),
        ("ñéüàÑÉ¿¡@#" * 16, True),
        # Each of these takes two places.
        ("€" * 80, True),
        ("€" * 81, False),
        ("[]{}" * 20, True),
        ("[]{}" * 20 + "a", False),
        # One letter from outside the alphabet, and 70 are all.
        ("ó" + "a" * 69, True),
        ("ó" + "a" * 70, False),
        ("ç" + "a" * 70, False),
        # Beyond the basic plane a character takes two.
        ("💥" * 35, True),
        ("💥" * 36, False),
    ],
)
def test_one_segment(text: str, fits: bool) -> None:
    assert fits_one_segment(text) is fits
