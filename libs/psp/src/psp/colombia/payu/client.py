"""The transport to PayU: one method per command, every failure as an error of the provider contract.

Everything is a POST with the credentials in its body. Whether it was understood is in the answer's `code`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Self, TypeVar

from chassis.outbound import OutboundClient, OutboundResponse
from chassis.strict_json import InvalidJson
from pydantic import SecretStr, ValidationError

from psp.colombia.payu import wire
from psp.colombia.payu.mapping import NAME, failure
from psp.colombia.payu.settings import PayuSettings
from psp.provider import OutcomeUnknown, PaymentNotFound, ProviderError, ProviderNotConfigured
from psp.transport import Transport, connect

AnswerT = TypeVar("AnswerT", bound=wire.Answer)

_PAYMENTS: Final = "/payments-api/4.0/service.cgi"
_REPORTS: Final = "/reports-api/4.0/service.cgi"


class PayuClient:
    """Read calls raise ProviderUnavailable when they fail; write calls OutcomeUnknown unless nothing was sent."""

    def __init__(self, http: OutboundClient, api_login: SecretStr, api_key: SecretStr, *, test: bool) -> None:
        self._transport = Transport(NAME, http, _failure)
        self._api_login = api_login
        self._api_key = api_key
        self._test = test

    @classmethod
    def open(cls, settings: PayuSettings) -> Self:
        """Inside a running event loop. Raises ProviderNotConfigured without all four of the merchant's credentials."""
        if settings.api_key is None:
            raise ProviderNotConfigured(NAME, "api_key_missing")
        for name in ("api_login", "merchant_id", "account_id"):
            if getattr(settings, name) is None:
                raise ProviderNotConfigured(NAME, f"{name}_missing")
        assert settings.api_login is not None
        http = connect(
            NAME,
            settings,
            headers={"Accept": "application/json"},
        )
        return cls(http, settings.api_login, settings.api_key, test=settings.test)

    async def close(self) -> None:
        await self._transport.close()

    async def submit(self, transaction: Mapping[str, Any], *, operation: str) -> wire.TransactionResponse:
        """A payment or a refund. Raises ProviderRejected where PayU would not have it."""
        body = self._body("SUBMIT_TRANSACTION", transaction=transaction)
        answer = await self._transport.write(operation, _PAYMENTS, wire.Submitted, json=body)
        _check(answer, write=True)
        if answer.response is None:
            raise OutcomeUnknown(NAME, "unreadable_answer")
        return answer.response

    async def banks(self) -> tuple[wire.Bank, ...]:
        information = {"paymentMethod": "PSE", "paymentCountry": "CO"}
        body = self._body("GET_BANKS_LIST", bankListInformation=information)
        answer = await self._transport.read("banks.list", _PAYMENTS, wire.BankList, method="POST", json=body)
        _check(answer, write=False)
        return answer.banks or ()

    async def order(self, order_id: int) -> wire.Order:
        """Raises PaymentNotFound."""
        orders = await self._query("orders.get", "ORDER_DETAIL", orderId=order_id)
        if not orders:
            raise PaymentNotFound(NAME, "not_found")
        return orders[0]

    async def orders_of(self, reference: str) -> tuple[wire.Order, ...]:
        """All orders of one reference, which PayU does not promise to keep unique."""
        try:
            return await self._query("orders.search", "ORDER_DETAIL_BY_REFERENCE_CODE", referenceCode=reference)
        except PaymentNotFound:
            return ()

    async def _query(self, operation: str, command: str, **details: object) -> tuple[wire.Order, ...]:
        body = self._body(command, details=details)
        answer = await self._transport.read(operation, _REPORTS, wire.Found, method="POST", json=body)
        _check(answer, write=False)
        return answer.result.payload if answer.result else ()

    def _body(self, command: str, **content: object) -> dict[str, object]:
        merchant = {"apiKey": self._api_key.get_secret_value(), "apiLogin": self._api_login.get_secret_value()}
        return {"language": "es", "command": command, "merchant": merchant, "test": self._test, **content}


def _check(answer: AnswerT, *, write: bool) -> None:
    if answer.code != "SUCCESS":
        raise failure(200, answer, write=write)


def _failure(answer: OutboundResponse, *, write: bool) -> ProviderError:
    return failure(answer.status, _error(answer), write=write, retry_after=answer.retry_after)


def _error(answer: OutboundResponse) -> wire.Answer | None:
    try:
        return wire.Answer.model_validate(answer.json())
    except (InvalidJson, ValidationError):
        return None
