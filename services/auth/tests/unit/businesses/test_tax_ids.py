"""Tax ids by country."""

import pytest
from auth.businesses.tax_ids import normalize_tax_id
from kernel import Country


@pytest.mark.parametrize(
    ("country", "given", "kept"),
    [
        (Country.MX, "EKU9003173C9", "EKU9003173C9"),
        (Country.MX, "eku-900317-3c9", "EKU9003173C9"),
        (Country.MX, "XAXX010101000", "XAXX010101000"),
        (Country.MX, "xexx010101000", "XEXX010101000"),
        (Country.CO, "800197268-4", "800197268-4"),
        (Country.CO, "800.197.268-4", "800197268-4"),
        (Country.CO, "8001972684", "800197268-4"),
        (Country.CO, "222222222222", "222222222222"),
        (Country.AR, "30-71234567-1", "30712345671"),
        (Country.CL, "76.086.428-5", "76086428-5"),
        (Country.CL, "760864285", "76086428-5"),
        (Country.CL, "66666666-6", "66666666-6"),
    ],
)
def test_each_is_kept_in_one_form(country: Country, given: str, kept: str) -> None:
    assert normalize_tax_id(given, country) == kept
    assert normalize_tax_id(kept, country) == kept


@pytest.mark.parametrize(
    ("country", "given"),
    [
        (Country.MX, "EKU9003173C8"),
        (Country.MX, "800197268-4"),
        (Country.MX, "EKU9013173C9"),
        (Country.CO, "800197268-5"),
        (Country.CO, "800197268"),
        (Country.AR, "30-71234567-2"),
        (Country.CL, "76086428-6"),
    ],
)
def test_a_wrong_check_digit_is_refused(country: Country, given: str) -> None:
    with pytest.raises(ValueError, match="is not a valid"):
        normalize_tax_id(given, country)


@pytest.mark.parametrize("country", list(Country))
@pytest.mark.parametrize(
    "given", ["", " ", "\x00", "'; DROP TABLE businesses; --", "<script>", "٨٠٠١٩٧٢٦٨٤", "９００", "🌮", "1" * 10_000]
)
def test_hostile_text_is_refused_like_any_other(country: Country, given: str) -> None:
    with pytest.raises(ValueError, match="is not a valid"):
        normalize_tax_id(given, country)
