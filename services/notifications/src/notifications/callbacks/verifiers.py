"""What verifies providers' reports: the secrets, and the address that Twilio signs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

TWILIO_PATH: Final = "/api/v1/notifications/callbacks/twilio"
SENDGRID_PATH: Final = "/api/v1/notifications/callbacks/sendgrid"


@dataclass(frozen=True, slots=True)
class CallbackVerifiers:
    """twilio_url: the address without its query. sendgrid_key: None closes that route."""

    twilio_url: str
    twilio_auth_token: str = field(repr=False)
    sendgrid_key: EllipticCurvePublicKey | None
