"""What each provider can and cannot do, as data: checked before every call, printed into docs/payment-providers.md.

`python -m psp.capabilities` prints the page; `--write PATH` writes it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from kernel import Country, Currency, Money

from psp.provider import IntentRequest, MethodNotSupported, PaymentMethod, ProviderRejected


class Need(StrEnum):
    """What a request must carry for a method, by the name of the field that is missing without it."""

    NAME = "customer.name"
    EMAIL = "customer.email"
    PHONE = "customer.phone"
    DOCUMENT = "customer.document"
    BANK = "bank"
    DEVICE = "device"
    PAGE = "page_url"


class RefundSupport(StrEnum):
    """Through the provider's API. NONE: the merchant pays back by other means. UNDOCUMENTED: may be tried."""

    NONE = "none"
    UNDOCUMENTED = "undocumented"
    WHOLE = "whole"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True)
class MethodCapability:
    """product: what the provider calls it. native_qr: the code is the wallets' own, not the address of a page.

    refund: what its API gives back; refunds: the same in words. asynchronous_refunds: they may be PENDING at first.
    min_amount, max_amount: both included, None where the provider states none. step: amounts are multiples of so many
    minor units. note: the small print.
    """

    product: str
    refund: RefundSupport
    refunds: str
    note: str
    min_expiry: timedelta
    max_expiry: timedelta
    native_qr: bool = False
    asynchronous_refunds: bool = False
    needs: frozenset[Need] = frozenset()
    min_amount: Money | None = None
    max_amount: Money | None = None
    step: int = 1


@dataclass(frozen=True, slots=True)
class Capabilities:
    """methods holds only what is offered; missing names, for the others, what stands in the way.

    finds_by_reference: whether `find_payment` can find. Where it cannot, a payment whose creation went unanswered is
    payable by nobody, so that creating it anew is safe.
    cancels: whether `cancel` can end a pending payment. Where it cannot, it is refused, and money may come late.
    shows_refunds_under_way: whether a refund is seen before it is decided. Where it is not, nothing can be said of an
    unanswered one until then, and `find_refund` raises ProviderUnavailable.
    lists_payments: whether the payments of a period can be listed (`psp.listing`). Where they cannot, ours are
    reconciled one by one, and money that belongs to none of ours is not found.
    reconciliation, readings: what stands behind that, and how often the provider wants to be asked, in words.
    """

    provider: str
    title: str
    country: Country
    currency: Currency
    methods: Mapping[PaymentMethod, MethodCapability]
    missing: Mapping[PaymentMethod, str]
    webhooks: str
    idempotency: str
    finds_by_reference: bool = True
    cancels: bool = True
    shows_refunds_under_way: bool = True
    lists_payments: bool = False
    reconciliation: str = (
        "no list of payments is documented: ours are read one by one, and money there that belongs to none of ours is"
        " not found."
    )
    readings: str = "at will; how often is not documented."

    def check(self, request: IntentRequest, now: datetime) -> MethodCapability:
        """Refuse what the provider would refuse, before it costs a call. Raises ProviderRejected."""
        capability = self.methods.get(request.method)
        if capability is None:
            raise MethodNotSupported(self.provider, "method_not_supported", self.missing.get(request.method, ""))
        self._check_amount(request.amount, capability)
        lifetime = request.expires_at - now
        if not capability.min_expiry <= lifetime <= capability.max_expiry:
            raise ProviderRejected(
                self.provider,
                "expiry_out_of_range",
                f"must expire between {_span(capability.min_expiry)} and {_span(capability.max_expiry)} from now",
                param="expires_at",
            )
        for need in Need:
            if need in capability.needs and not _given(request, need):
                raise ProviderRejected(self.provider, "field_required", f"{need} is needed", param=need.value)
        return capability

    def _check_amount(self, amount: Money, capability: MethodCapability) -> None:
        if amount.currency is not self.currency:
            raise ProviderRejected(
                self.provider, "currency_not_supported", f"only {self.currency} is accepted", param="currency"
            )
        if amount.minor <= 0:
            raise ProviderRejected(self.provider, "amount_not_positive", "amount must be positive", param="amount")
        if amount.minor % capability.step:
            raise ProviderRejected(
                self.provider,
                "amount_too_precise",
                f"amount must be a multiple of {Money(capability.step, amount.currency)}",
                param="amount",
            )
        if capability.min_amount is not None and amount < capability.min_amount:
            raise ProviderRejected(
                self.provider,
                "amount_below_minimum",
                f"amount must be at least {capability.min_amount}",
                param="amount",
            )
        if capability.max_amount is not None and amount > capability.max_amount:
            raise ProviderRejected(
                self.provider, "amount_above_maximum", f"amount must be at most {capability.max_amount}", param="amount"
            )


def render(matrix: Sequence[Capabilities]) -> str:
    lines = [
        "# Payment providers and what they offer",
        "",
        "Generated by `python -m psp.capabilities --write docs/payment-providers.md`; do not edit.",
        "What a provider cannot do is left out, never imitated.",
        "",
        "| provider | " + " | ".join(f"`{method}`" for method in PaymentMethod) + " |",
        "|---" * (len(PaymentMethod) + 1) + "|",
    ]
    lines += [f"| {entry.title} ({entry.country}) | {_overview(entry)} |" for entry in matrix]
    for entry in matrix:
        lines += [
            "",
            f"## {entry.title} ({entry.country}, {entry.currency})",
            "",
            "| method | offered as | amounts | expires after | needs | refunds | notes |",
            "|---|---|---|---|---|---|---|",
        ]
        for method in PaymentMethod:
            found = entry.methods.get(method)
            if found is None:
                lines.append(f"| `{method}` | not offered | – | – | – | – | {entry.missing[method]} |")
            else:
                span = f"{_span(found.min_expiry)} to {_span(found.max_expiry)}"
                needs = ", ".join(f"`{need}`" for need in Need if need in found.needs) or "–"
                lines.append(
                    f"| `{method}` | {found.product} | {_amounts(found, entry.currency)} | {span} | {needs}"
                    f" | {found.refunds} | {found.note} |"
                )
        lines += ["", f"Webhooks: {entry.webhooks}", "", f"Repeated requests: {entry.idempotency}"]
        lines += ["", f"Reconciliation: {entry.reconciliation}", "", f"Readings by schedule: {entry.readings}"]
    return "\n".join(lines) + "\n"


_REFUND_WORDS: Final = {
    RefundSupport.NONE: "no refunds",
    RefundSupport.UNDOCUMENTED: "refunds not documented",
    RefundSupport.WHOLE: "whole refunds",
    RefundSupport.PARTIAL: "partial refunds",
}


def _overview(entry: Capabilities) -> str:
    cells = []
    for method in PaymentMethod:
        found = entry.methods.get(method)
        if found is None:
            cells.append("–")
            continue
        kind = {True: "native code, ", False: "page behind a code, "}[found.native_qr]
        is_qr = method in (PaymentMethod.QR_DYNAMIC, PaymentMethod.QR_STATIC)
        cells.append(f"{kind if is_qr else ''}{_REFUND_WORDS[found.refund]}")
    return " | ".join(cells)


def _amounts(capability: MethodCapability, currency: Currency) -> str:
    words = []
    if capability.min_amount is not None:
        words.append(f"from {capability.min_amount}")
    if capability.max_amount is not None:
        words.append(f"up to {capability.max_amount}")
    if capability.step != 1:
        words.append(f"multiples of {Money(capability.step, currency)}")
    return ", ".join(words) or "any"


def _given(request: IntentRequest, need: Need) -> bool:
    place: object = request
    for name in need.value.split("."):
        place = getattr(place, name)
    return bool(place)


def _span(value: timedelta) -> str:
    if value >= timedelta(days=1):
        return f"{value.days} days"
    return f"{int(value.total_seconds()) // 60} minutes"


def main(arguments: Sequence[str] | None = None) -> None:
    from psp.registry import capability_matrix  # noqa: PLC0415 - the registry imports the adapters, which import this

    parser = argparse.ArgumentParser(prog="python -m psp.capabilities", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="PATH")
    page = render(capability_matrix())
    target: Path | None = parser.parse_args(arguments).write
    if target is None:
        sys.stdout.write(page)
    else:
        target.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
