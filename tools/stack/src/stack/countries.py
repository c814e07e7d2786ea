"""What a made-up shop of each country looks like: valid tax ids, phone numbers and prices."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from stack.errors import StackError


@dataclass(frozen=True, slots=True)
class Shop:
    """The example data of one country. `price` is in its currency, as the API writes money.

    methods: how a shop there can be paid through its provider, the most usual first.
    """

    country: str
    name: str
    legal_name: str
    tax_id: str
    city: str
    state: str
    postal_code: str
    phone_prefix: str
    phone_digits: int
    product: str
    price: str
    tax_rate: str
    methods: tuple[str, ...]

    def phone(self) -> str:
        """A phone number nobody else has been given, in E.164."""
        return self.phone_prefix + "".join(secrets.choice("23456789") for _ in range(self.phone_digits))

    def business(self) -> dict[str, object]:
        """The body of `POST /businesses`."""
        return {
            "name": self.name,
            "legalName": self.legal_name,
            "taxId": self.tax_id,
            "country": self.country,
            "industry": "retail",
            "city": self.city,
            "state": self.state,
            "postalCode": self.postal_code,
        }

    def branch(self) -> dict[str, object]:
        """The body of `POST /businesses/:id/branches`."""
        return {"name": "Centro", "city": self.city, "state": self.state, "postalCode": self.postal_code}


_SHOPS: Mapping[str, Shop] = {
    shop.country: shop
    for shop in (
        Shop(
            "MX",
            "Abarrotes La Esquina",
            "Escuela Kemper Urgate SA de CV",
            "EKU9003173C9",
            "Ciudad de México",
            "CDMX",
            "06000",
            "+5255",
            8,
            "Café de olla 250 g",
            "89.50",
            "0.16",
            ("QR_DYNAMIC", "PAYMENT_LINK", "BANK_TRANSFER"),
        ),
        Shop(
            "CO",
            "Tienda La Esquina",
            "Tienda La Esquina SAS",
            "9001234568",
            "Bogotá",
            "Cundinamarca",
            "110111",
            "+57310",
            7,
            "Café tostado 250 g",
            "18900.00",
            "0.19",
            ("PAYMENT_LINK", "QR_DYNAMIC"),
        ),
        Shop(
            "AR",
            "Almacén La Esquina",
            "Almacén La Esquina SRL",
            "30712345671",
            "Buenos Aires",
            "CABA",
            "C1000",
            "+54911",
            8,
            "Yerba mate 500 g",
            "3450.00",
            "0.21",
            ("QR_DYNAMIC", "PAYMENT_LINK"),
        ),
        Shop(
            "CL",
            "Almacén La Esquina",
            "Almacén La Esquina SpA",
            "76086428-5",
            "Santiago",
            "Región Metropolitana",
            "8320000",
            "+569",
            8,
            "Té en hojas 250 g",
            "4990",
            "0.19",
            ("PAYMENT_LINK", "QR_DYNAMIC", "BANK_TRANSFER"),
        ),
    )
}


def shop_of(country: str) -> Shop:
    """The example shop of a country; StackError when there is none."""
    shop = _SHOPS.get(country.upper())
    if shop is None:
        raise StackError(f"COUNTRY is {country!r}; it may be {', '.join(_SHOPS)}.")
    return shop
