"""Argentina beside its authority's twin: the contract of all countries, and what only ARCA does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from fiscal.ar.provider import ArgentinaProvider
from fiscal.ar.settings import ArgentinaSettings
from fiscal.document import DocumentKind, FiscalDocument, Receiver, Reference
from fiscal.errors import AuthorityUnavailable, BadProfile, OutcomeUnknown, Rejected
from fiscal.profile import Environment, IssuerProfile
from fiscal.provider import FiscalRef, NumberLease, Outcome, State
from fiscal.registry import Tools
from fiscal.testing.contract import FiscalContract
from fiscal.testing.fake import sample
from fiscal.tickets import MemoryTickets
from fiscal.workshop import Workshop
from kernel import Country, Currency, FixedClock, Money, new_id
from twins.testing import ProviderTwin, Twins, running_twins

pytestmark = pytest.mark.integration

CUIT = "20267565393"
BUYER = Receiver(name="Almacén Ñandú & Cía", tax_id="33-69345023-9", tax_id_kind="CUIT", regime="1")


class Arca(ProviderTwin):
    async def certificate(self, cuit: str = CUIT, **wanted: Any) -> dict[str, bytes]:
        made = await self._ask("POST", "/certificates", {"cuit": cuit, **wanted})
        return {name: value.encode() for name, value in made.items()}

    async def revoke(self) -> None:
        await self._ask("POST", "/tickets/revoke")

    async def times(self, key: str) -> int:
        try:
            return int((await self._ask("GET", f"/documents/{key}"))["data"]["times"])
        except Exception as error:
            assert "404" in str(error)
            return 0


@dataclass
class ArgentinaWorld:
    provider: ArgentinaProvider
    issuer: IssuerProfile
    clock: FixedClock
    arca: Arca
    ticket: FiscalDocument
    original: FiscalRef
    accepted: Outcome
    timeout: float

    def document(self, kind: DocumentKind) -> FiscalDocument:
        reference = None
        if kind is DocumentKind.CREDIT_NOTE:
            prepared = self.original.prepared
            reference = Reference(
                kind=DocumentKind.TICKET,
                document_type=prepared.document_type,
                series=prepared.series,
                number=prepared.number,
                fiscal_id=self.accepted.fiscal_id or "",
                issued_on=self.ticket.local_time.date(),
            )
        changes = {"reference": reference} if reference else {}
        receiver = BUYER if kind is DocumentKind.INVOICE else None
        return sample(kind, country=Country.AR, at=self.clock.now(), receiver=receiver, **changes)

    async def lease(self, document: FiscalDocument) -> NumberLease:
        numbering = self.provider.numbering(self.issuer, document)
        return NumberLease(numbering, await self.provider.last_number(self.issuer, numbering) + 1)

    async def prepared(self, kind: DocumentKind = DocumentKind.TICKET) -> FiscalRef:
        document = self.document(kind)
        return FiscalRef(kind, await self.provider.prepare(self.issuer, document, await self.lease(document)))

    async def issued(self, ref: FiscalRef) -> int:
        # Numbers that were refused are no document, and how often the last one was asked for is not how many there are.
        return int(await self.arca.times(self.key(ref)) > 0)

    def key(self, ref: FiscalRef) -> str:
        place, _, type = ref.prepared.series.partition("-")
        return f"{CUIT}/{int(place)}/{int(type)}/{ref.prepared.number}"

    async def decide(self, ref: FiscalRef) -> None:
        pass

    async def next_times_out_after_accepting(self) -> None:
        await self.arca.fault("timeout_after_charging", operation="FECAESolicitar")

    async def next_is_rejected(self) -> None:
        await self.arca.fault("reject", operation="FECAESolicitar")

    async def next_is_slow(self) -> None:
        await self.arca.fault("slow", operation="FECAESolicitar", seconds=self.timeout + 1)

    async def down(self) -> None:
        await self.arca.fault("down", times=None)

    async def up(self) -> None:
        await self.arca.clear_faults()


@pytest.fixture(scope="module")
async def twins() -> AsyncIterator[Twins]:
    async with running_twins() as running:
        yield running


@pytest.fixture(scope="module")
def arca(twins: Twins) -> Arca:
    return Arca(twins.url, "arca", twins._session)


@pytest.fixture(scope="module")
async def certificate(arca: Arca) -> dict[str, bytes]:
    return await arca.certificate()


@pytest.fixture(scope="module")
async def workshop() -> AsyncIterator[Workshop]:
    shop = Workshop()
    yield shop
    await shop.close()


TIMEOUT = 0.8


@pytest.fixture
async def world(arca: Arca, certificate: dict[str, bytes], workshop: Workshop) -> AsyncIterator[ArgentinaWorld]:
    await arca.clear_faults()
    await arca.revoke()
    url = f"{arca.url}/arca"
    settings = ArgentinaSettings(test_wsaa_url=url, test_wsfe_url=url, timeout_seconds=TIMEOUT)
    clock = FixedClock()
    provider = ArgentinaProvider(Tools(clock, workshop, MemoryTickets(clock.now)), settings)
    issuer = IssuerProfile(
        business_id=new_id(),
        tax_id=CUIT,
        legal_name="Panadería del Sur SRL",
        trade_name="",
        regime="1",
        address=sample(DocumentKind.INVOICE, country=Country.AR, at=clock.now()).receiver.address,  # type: ignore[union-attr]
        environment=Environment.TEST,
        time_zone="America/Argentina/Buenos_Aires",
        fields={"pointOfSale": "3", "grossIncome": "901-123456-7", "activityStart": "2019-03-01"},
        secrets=certificate,
    )
    ticket = sample(DocumentKind.TICKET, country=Country.AR, at=clock.now())
    numbering = provider.numbering(issuer, ticket)
    lease = NumberLease(numbering, await provider.last_number(issuer, numbering) + 1)
    original = FiscalRef(DocumentKind.TICKET, await provider.prepare(issuer, ticket, lease))
    accepted = await provider.issue(issuer, original, idempotency_key=str(new_id()))
    assert accepted.state is State.ACCEPTED, accepted.messages
    yield ArgentinaWorld(provider, issuer, clock, arca, ticket, original, accepted, TIMEOUT)
    await arca.clear_faults()
    await provider.close()


class TestArgentina(FiscalContract):
    pass
