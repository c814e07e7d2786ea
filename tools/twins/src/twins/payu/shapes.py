"""PayU's resources as JSON (API 4.0): the fields of its documentation, filled by us. Amounts are kept in centavos."""

from __future__ import annotations

import secrets
import uuid
from datetime import datetime
from decimal import Decimal

from twins.payu.requests import BOGOTA, Checkout, PsePayment
from twins.provider.book import Json

# What a confirmation carries beside the values of its attempt, as PayU's example of one has it.
_CONFIRMATION = {
    "phone": "",
    "additional_value": "0.00",
    "error_code_bank": "",
    "billing_country": "CO",
    "bank_referenced_name": "",
    "administrative_fee_tax": "0.00",
    "administrative_fee": "0.00",
    "office_phone": "",
    "error_message_bank": "",
    "shipping_city": "",
    "tax": "0.00",
    "billing_address": "",
    "nickname_buyer": "",
    "risk": "",
    "shipping_address": "",
    "bank_id": "10",
    "customer_number": "",
    "administrative_fee_base": "0.00",
    "exchange_rate": "1.00",
    "shipping_country": "",
    "installments_number": "1",
    "extra1": "",
    "extra2": "",
    "extra3": "",
    "antifraudMerchantId": "",
    "nickname_seller": "",
    "ip": "127.0.0.1",
    "airline_code": "",
    "billing_city": "",
}
# By the state of an attempt: state_pol, response_code_pol, response_message_pol, payment_request_state.
ENDINGS = {
    "APPROVED": ("4", "1", "APPROVED", "A"),
    "DECLINED": ("6", "5", "ENTITY_DECLINED", "R"),
    "EXPIRED": ("5", "20", "EXPIRED_TRANSACTION", "E"),
    "ERROR": ("6", "9999", "ERROR", "R"),
}
RESPONSE_CODES = {
    "APPROVED": "APPROVED",
    "DECLINED": "ENTITY_DECLINED",
    "EXPIRED": "EXPIRED_TRANSACTION",
    "PENDING": "PENDING_TRANSACTION_CONFIRMATION",
}


def centavos(value: Decimal) -> int:
    return int(value.scaleb(2))


def pesos(amount: int) -> Decimal:
    return Decimal(amount).scaleb(-2)


def number(amount: int) -> int | float:
    return amount // 100 if amount % 100 == 0 else amount / 100


def checkout(form: Checkout, notify_url: str | None) -> Json:
    """An order nobody has tried to pay yet, as it is kept."""
    return _order(form.referenceCode, form.description, centavos(form.amount), int(form.accountId)) | {
        "kind": "checkout",
        "is_test": form.test == "1",
        "expires_at": form.expires_at,
        "notify_url": form.confirmationUrl or notify_url,
        "return_url": form.responseUrl,
        "buyer": {"fullName": form.buyerFullName or None, "emailAddress": form.buyerEmail},
    }


def transfer(payment: PsePayment, notify_url: str | None) -> Json:
    order = payment.order
    amount = centavos(order.additionalValues.tx_value.value)
    return _order(order.referenceCode, order.description, amount, int(order.accountId)) | {
        "kind": "pse",
        "status": "IN_PROGRESS",
        "is_test": False,
        "expires_at": None,
        "notify_url": order.notifyUrl or notify_url,
        "return_url": payment.extraParameters.RESPONSE_URL,
        "buyer": {"fullName": order.buyer.fullName, "emailAddress": order.buyer.emailAddress},
    }


def transaction(
    type: str, method: str, amount: int, state: str, now: float, *, parent: str | None = None, bank_url: str = ""
) -> Json:
    return {
        "id": str(uuid.uuid4()),
        "type": type,
        "parent": parent,
        "method": method,
        "amount": amount,
        "state": state,
        "at": now,
        "bank_url": bank_url,
    }


def shown(order: Json, *, show_bank_url: bool) -> Json:
    """An order as the queries answer it: its transactions newest first."""
    return {
        "id": order["id"],
        "accountId": order["account_id"],
        "status": order["status"],
        "referenceCode": order["reference"],
        "description": order["description"],
        "airlineCode": None,
        "language": "es",
        "notifyUrl": order["notify_url"],
        "shippingAddress": None,
        "buyer": {"merchantBuyerId": None, "contactPhone": None, "dniNumber": None, **order["buyer"]},
        "antifraudMerchantId": None,
        "isTest": order["is_test"],
        "transactions": [_transaction(entry, show_bank_url=show_bank_url) for entry in order["transactions"]],
        "additionalValues": {"TX_VALUE": {"value": number(order["amount"]), "currency": "COP"}},
    }


def submitted(order: Json, entry: Json) -> Json:
    """The answer to a submitted payment."""
    response = _response(entry, show_bank_url=True)
    return _success({"orderId": order["id"], "transactionId": entry["id"], **response})


def refund_accepted(order: Json) -> Json:
    """A refund under review has no id of its own."""
    names = ("paymentNetworkResponseCode", "trazabilityCode", "authorizationCode", "responseCode", "operationDate")
    return _success(
        {
            "orderId": order["id"],
            "transactionId": None,
            "state": "PENDING",
            "pendingReason": "PENDING_REVIEW",
            "responseMessage": str(order["id"]),
            **dict.fromkeys(names),
            "extraParameters": None,
            "additionalInfo": None,
        }
    )


def refund_declined(order: Json) -> Json:
    answer = refund_accepted(order)
    answer["transactionResponse"] |= {
        "state": "DECLINED",
        "pendingReason": None,
        "responseCode": "REFUND_NOT_ALLOWED_FOR_PAYMENT_METHOD",
    }
    return answer


def confirmation(order: Json, entry: Json, merchant_id: int) -> dict[str, str]:
    """A confirmation's fields, without its `sign` and `attempts`."""
    state_pol, code, message, request_state = ENDINGS[entry["state"]]
    at = datetime.fromtimestamp(entry["at"], BOGOTA)
    is_pse = entry["method"] == "PSE"
    bank = {"pse_bank": "BANCO UNION COLOMBIANO", "cus": str(secrets.randbelow(10**7)), "transaction_bank_id": "1022"}
    card = {"cc_number": "************0004", "cc_holder": "test_buyer", "franchise": entry["method"], "pse_bank": ""}
    return {
        **_CONFIRMATION,
        "response_code_pol": code,
        "test": "1" if order["is_test"] else "0",
        "transaction_date": f"{at:%Y-%m-%d %H:%M:%S}",
        "date": f"{at:%Y.%m.%d %I:%M:%S}",
        "description": order["description"],
        "value": f"{pesos(entry['amount']):.2f}",
        "currency": "COP",
        "payment_method_type": "4" if is_pse else "2",
        "payment_method_id": "4" if is_pse else "2",
        "payment_method": "25" if is_pse else "10",
        "payment_method_name": entry["method"],
        "email_buyer": order["buyer"]["emailAddress"],
        "response_message_pol": message,
        "transaction_id": entry["id"],
        "state_pol": state_pol,
        "payment_request_state": request_state,
        "merchant_id": str(merchant_id),
        "reference_pol": str(order["id"]),
        "reference_sale": order["reference"],
        "pse_reference1": "",
        "pse_reference2": "",
        "pse_reference3": "",
        **(bank if is_pse else card),
    }


def _order(reference: str, description: str, amount: int, account_id: int) -> Json:
    return {
        "id": 1_400_000_000 + secrets.randbelow(8_000_000_000),
        "reference": reference,
        "description": description,
        "amount": amount,
        "account_id": account_id,
        "status": "NEW",
        "transactions": [],
        "refund": None,
    }


def _transaction(entry: Json, *, show_bank_url: bool) -> Json:
    is_card = entry["method"] == "VISA"
    return {
        "id": entry["id"],
        "order": None,
        "creditCard": {"maskedNumber": "411111******1111", "name": "APPROVED", "issuerBank": None} if is_card else None,
        "bankAccount": None,
        "type": entry["type"],
        "parentTransactionId": entry["parent"],
        "paymentMethod": entry["method"],
        "source": None,
        "paymentCountry": "CO",
        "transactionResponse": _response(entry, show_bank_url=show_bank_url),
        "additionalValues": {"TX_VALUE": {"value": number(entry["amount"]), "currency": "COP"}},
        "extraParameters": {},
    }


def _response(entry: Json, *, show_bank_url: bool) -> Json:
    pending = entry["state"] == "PENDING"
    has_url = show_bank_url and bool(entry["bank_url"])
    return {
        "state": entry["state"],
        "paymentNetworkResponseCode": None,
        "paymentNetworkResponseErrorMessage": None,
        "trazabilityCode": str(int(entry["at"]) % 10_000_000),
        "authorizationCode": None,
        "pendingReason": "AWAITING_NOTIFICATION" if pending else None,
        "responseCode": RESPONSE_CODES.get(entry["state"], entry["state"]),
        "errorCode": None,
        "responseMessage": None,
        "transactionDate": None,
        "transactionTime": None,
        "operationDate": int(entry["at"] * 1000),
        "extraParameters": {"TRANSACTION_CYCLE": "1", "BANK_URL": entry["bank_url"]} if has_url else None,
        "additionalInfo": {
            "paymentNetwork": entry["method"],
            "rejectionType": "NONE",
            "transactionType": entry["type"],
        },
    }


def _success(response: Json) -> Json:
    return {"code": "SUCCESS", "error": None, "transactionResponse": response}
