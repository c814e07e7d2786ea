"""Orders, payments and refunds as JSON: the fields of the QR guide's and the SDK's samples, filled by us."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime

from twins.mercadopago import requests
from twins.provider.book import Json

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_DEFAULT_EXPIRATION = "PT16M"
APPLICATION_ID = "7364289770550796"


def ulid(prefix: str) -> str:
    number = int(time.time() * 1000) << 80 | secrets.randbits(80)
    return prefix + "".join(_CROCKFORD[number >> 5 * place & 31] for place in reversed(range(26)))


def money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def cents(amount: str) -> int:
    whole, _, rest = amount.partition(".")
    return int(whole) * 100 + int(rest or 0)


def instant(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def order(request: requests.Order, user_id: str, base_url: str, now: float) -> Json:
    """Internal fields begin with an underscore; `shown` leaves them out."""
    id = ulid("ORD")
    total = money(request.total_amount)
    expiration = request.expiration_time or _DEFAULT_EXPIRATION
    made: Json = {
        "id": id,
        "type": request.type,
        "processing_mode": request.processing_mode,
        "external_reference": request.external_reference,
        "description": request.description,
        "total_amount": total,
        "expiration_time": expiration,
        "country_code": "ARG",
        "user_id": user_id,
        "status": "created",
        "status_detail": "created",
        "currency": "ARS",
        "created_date": instant(now),
        "last_updated_date": instant(now),
        "integration_data": {"application_id": APPLICATION_ID},
        "config": request.config.model_dump(exclude_none=True),
        "_version": 1,
        "_expires_at": now + requests.seconds(expiration),
        "_title": request.description or (request.items[0].title if request.items else "Pago"),
    }
    if request.type == "qr":
        made["transactions"] = {"payments": [payment(total, "ready_to_process")]}
        qr = request.config.qr
        if qr is not None and qr.mode != "static":
            made["type_response"] = {"qr_data": qr_data(id, request.total_amount, qr.external_pos_id)}
    else:
        made["capture_mode"] = request.capture_mode or "automatic"
        made["payer"] = request.payer.model_dump() if request.payer else None
        made["items"] = [
            {"title": item.title, "quantity": item.quantity, "unit_price": money(item.unit_price)}
            for item in request.items or ()
        ]
        made["checkout_url"] = f"{base_url}/mercadopago/checkout/{id}"
    return made


def payment(amount: str, detail: str) -> Json:
    return {"id": ulid("PAY"), "amount": amount, "status": "created", "status_detail": detail}


def refund(transaction_id: str, amount: str, due: float) -> Json:
    return {
        "id": ulid("REF"),
        "transaction_id": transaction_id,
        "reference_id": str(secrets.randbelow(10**11)),
        "amount": amount,
        "status": "processing",
        "_due": due,
    }


def shown(order: Json) -> Json:
    """As the API shows it."""

    def clean(value: object) -> object:
        if isinstance(value, dict):
            return {key: clean(entry) for key, entry in value.items() if not key.startswith("_")}
        return [clean(entry) for entry in value] if isinstance(value, list) else value

    cleaned = clean(order)
    assert isinstance(cleaned, dict)
    return cleaned


def notification(order: Json, action: str, now: float) -> Json:
    """As of topic `order`: no identity of its own, and a version that grows with the order."""
    data: Json = {
        key: order[key]
        for key in ("external_reference", "id", "status", "status_detail", "total_amount", "total_paid_amount", "type")
        if key in order
    }
    if order["status"] == "processed":
        data["transactions"] = {"payments": shown(order)["transactions"]["payments"]}
    return {
        "action": action,
        "api_version": "v1",
        "application_id": APPLICATION_ID,
        "data": data | {"version": order["_version"]},
        "date_created": instant(now),
        "live_mode": False,
        "type": "order",
        "user_id": order["user_id"],
    }


def qr_data(order_id: str, amount: int, pos: str) -> str:
    """EMVCo merchant-presented: tag, length, value; a CRC at the end."""
    account = _tlv("00", "com.mercadolibre") + _tlv("01", order_id) + _tlv("02", pos)
    text = "".join(
        (
            _tlv("00", "01"),
            _tlv("01", "12"),
            _tlv("43", account),
            _tlv("52", "9700"),
            _tlv("53", "032"),
            _tlv("54", money(amount)),
            _tlv("58", "AR"),
            _tlv("59", "COMERCIO DE PRUEBA"),
            _tlv("60", "BUENOS AIRES"),
            "6304",
        )
    )
    return f"{text}{crc16(text.encode()):04X}"


def crc16(data: bytes) -> int:
    """CCITT, initial value 0xFFFF, as EMVCo demands."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def _tlv(tag: str, value: str) -> str:
    return f"{tag}{len(value):02d}{value}"
