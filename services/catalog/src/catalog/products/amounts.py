"""What a request says of a product, as the table keeps it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from kernel import Currency, InvalidInput, Money, MoneyError

from catalog.products.schemas import ProductFields, ProductPatch

_AMOUNTS: Final = frozenset({"price", "cost"})


def stored(request: ProductFields | ProductPatch, fields: Iterable[str], currency: Currency) -> dict[str, Any]:
    """Column values of these fields, with amounts checked against the currency's decimals."""
    values = {name: getattr(request, name) for name in fields}
    for name in _AMOUNTS & values.keys():
        if values[name] is None:
            continue
        try:
            values[name] = Money.of(values[name], currency).decimal
        except MoneyError as error:
            raise InvalidInput.field(name, str(error)) from None
    return values
