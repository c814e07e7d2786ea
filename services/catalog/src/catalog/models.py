"""Every table of this service, in one metadata: what migrations are compared with."""

from catalog.base import Base
from catalog.products.models import Product
from catalog.reservations.models import Reservation, ReservationLine
from catalog.stock.models import StockLevel, StockMovement

__all__ = ["Base", "Product", "Reservation", "ReservationLine", "StockLevel", "StockMovement"]
