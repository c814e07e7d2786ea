"""Fiscal documents by country: how many are built and signed in a second, and what their printed forms cost.

Each goes through the workshop, as in billing, with the profile of `make demo`. These rows need neither servers nor
services.
"""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final

from billing.invoices.schemas import BuyerIn
from billing.profiles.schemas import ProfilePut, decoded
from billing.receipts.renderer import render
from billing.transmission.printing import printed_form
from chassis.localization import Language
from chassis.pdf.thread import Format
from fiscal.document import DocumentKind, FiscalDocument
from fiscal.profile import IssuerProfile, ProfileDraft
from fiscal.provider import FiscalProvider, NumberLease, Outcome, Prepared, State
from fiscal.registry import FiscalRegistry
from fiscal.testing.fake import sample
from kernel import Country, SystemClock, new_id
from stack.countries import shop_of
from stack.fiscal_examples import FiscalExample, example_of
from twins.testing import Twins, ask, running_twins

from benchmarks.bench import GroupAlone
from benchmarks.table import Row, Table

_DOCUMENTS: Final = 200
_PDFS: Final = 10
_PDF_BUDGET_MS: Final = 50


async def measure(table: Table) -> None:
    registry = FiscalRegistry(SystemClock())
    try:
        async with running_twins() as twins:
            for country in Country:
                example = example_of(country.value)
                if example is not None and registry.serves(country):
                    await _measure(table, registry.provider(country), country, example, twins)
    finally:
        await registry.close()


async def _measure(
    table: Table, provider: FiscalProvider, country: Country, example: FiscalExample, twins: Twins
) -> None:
    issuer, lease_of = await _issuer(provider, country, example, twins)
    named: dict[str, Any] = {}
    if example.buyer is not None:
        named["receiver"] = BuyerIn.model_validate(example.buyer).receiver()
    kind = DocumentKind.INVOICE if named else DocumentKind.TICKET
    document = sample(kind, country=country, at=datetime.now(UTC), **named)
    lease = lease_of(document)
    # The first loads libraries, schemas and keys.
    prepared = await provider.prepare(issuer, document, lease)
    started = time.perf_counter()
    for _ in range(_DOCUMENTS):
        await provider.prepare(issuer, document, lease)
    seconds = time.perf_counter() - started
    rate = _DOCUMENTS / seconds
    table.add(
        Row(
            f"{country} documents built and signed",
            f"{rate:,.0f}/s",
            f"{len(prepared.payload):,} bytes each",
            rate,
            unit="/s",
            floor=20,
            aim=100,
        )
    )
    # Elsewhere what is printed comes with the authority's answer.
    if prepared.local_fiscal_id is not None:
        _measure_pdf(table, provider, issuer, document, prepared)


async def _issuer(
    provider: FiscalProvider, country: Country, example: FiscalExample, twins: Twins
) -> tuple[IssuerProfile, Any]:
    async def control(path: str, body: Any) -> dict[str, Any]:
        return await ask(twins._session, "POST", f"{twins.url}{path}", dict(body))

    told = ProfilePut.model_validate(await example.profile(shop_of(country.value), control))
    common: dict[str, Any] = {
        "address": told.address.address(),
        "environment": told.environment,
        "time_zone": country.time_zone,
        "legal_name": told.legal_name,
    }
    secrets = decoded(told, provider.profile_fields)
    draft = ProfileDraft(
        tax_id=told.tax_id,
        regime=told.tax_regime,
        fields=dict(told.fields),
        secrets=secrets,
        stock=tuple(dict(item) for item in told.numbering),
        **common,
    )
    checked = provider.check_profile(draft, datetime.now(UTC).date())
    issuer = IssuerProfile(
        business_id=new_id(),
        tax_id=checked.tax_id,
        trade_name="",
        regime=told.tax_regime,
        fields=dict(checked.fields),
        secrets=secrets,
        **common,
    )

    def lease_of(document: FiscalDocument) -> NumberLease:
        numbering = provider.numbering(issuer, document)
        stock = next((found for found in checked.stock if found.series == numbering.series), None)
        return NumberLease(numbering, stock.first if stock else 1, stock)

    return issuer, lease_of


def _measure_pdf(
    table: Table, provider: FiscalProvider, issuer: IssuerProfile, document: FiscalDocument, prepared: Prepared
) -> None:
    outcome = Outcome(State.ACCEPTED, fiscal_id=prepared.local_fiscal_id)
    shop: Any = SimpleNamespace(name="", address="", city="", state="", postal_code="", phone="")
    row: Any = SimpleNamespace(invoice_number="1", for_sale_id=new_id(), id=new_id())
    printed = provider.printed(issuer, document, prepared, outcome)
    form = printed_form(row, document, issuer, shop, printed, branch="Centro", payment_method="CASH", link="")
    for layout in (Format.A4, Format.TICKET):
        render(form, layout, Language.ES)
        spent = []
        for _ in range(_PDFS):
            started = time.process_time()
            render(form, layout, Language.ES)
            spent.append((time.process_time() - started) * 1000)
        median = statistics.median(spent)
        table.add(
            Row(
                f"{document.country} {layout.value} PDF of a fiscal document",
                f"{median:.1f} ms of CPU",
                f"median of {_PDFS}",
                median,
                unit=" ms",
                floor=_PDF_BUDGET_MS,
                aim=_PDF_BUDGET_MS / 2,
                higher_is_better=False,
            )
        )


GROUP = GroupAlone("fiscal", 2, measure)
