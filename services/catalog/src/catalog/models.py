"""Every table of this service, in one metadata: what migrations are compared with."""

from catalog.base import Base
from catalog.configuration.models import Configuration
from catalog.products.models import Generation, Product, ProductPrice
from catalog.reservations.models import Reservation, ReservationLine
from catalog.stock.models import StockLevel, StockMovement

__all__ = [
    "Base",
    "Configuration",
    "Generation",
    "Product",
    "ProductPrice",
    "Reservation",
    "ReservationLine",
    "StockLevel",
    "StockMovement",
]
