"""Colombia beside the twin of the DIAN: the contract of all countries, and what only Colombia does."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest
from fiscal.co.provider import ColombiaProvider
from fiscal.co.settings import ColombiaSettings, Sending
from fiscal.document import Address, DocumentKind, FiscalDocument, Receiver, Reference
from fiscal.errors import AuthorityUnavailable, BadProfile
from fiscal.profile import CheckedProfile, Environment, IssuerProfile, ProfileDraft
from fiscal.provider import FiscalRef, NumberLease, Outcome, State
from fiscal.registry import Tools
from fiscal.testing.contract import ACCEPTED, FiscalContract
from fiscal.testing.fake import sample
from fiscal.workshop import Workshop
from kernel import Country, FixedClock, new_id
from lxml import etree
from twins.testing import ControlRefused, ProviderTwin, Twins, running_twins

pytestmark = pytest.mark.integration

NIT = "900123456-8"
BUYER = Receiver(name="Ana López", tax_id="1032456789", tax_id_kind="CC", email="ana@example.com")
_TIMEOUT = 1.0
_NUMBERS = count(1)
_SENDS = ("SendBillSync", "SendBillAsync")


class DianTwin(ProviderTwin):
    async def taxpayer(self, **wanted: Any) -> dict[str, Any]:
        made: dict[str, Any] = (await self._ask("POST", "/taxpayers", {"nit": NIT, "name": "Café S.A.S."} | wanted))[
            "data"
        ]
        return made

    async def has(self, key: str) -> int:
        try:
            return int((await self._ask("GET", f"/documents/{key}"))["data"] is not None)
        except ControlRefused as refused:
            if refused.status != 404:
                raise
            return 0

    async def decide(self, key: str, *, accept: bool = True) -> None:
        await self._ask("POST", f"/documents/{key}/decide", {"accept": accept})


def draft_of(made: dict[str, Any], **changes: Any) -> ProfileDraft:
    values: dict[str, Any] = {
        "tax_id": NIT,
        "legal_name": "Café & Compañía S.A.S.",
        "regime": "O-13;O-15",
        "address": Address(
            street="Calle 100 # 10-20", city="Bogotá", city_code="11001", state="Bogotá D.C.", postal_code="110111"
        ),
        "environment": Environment.TEST,
        "time_zone": "America/Bogota",
        "fields": {"softwareId": made["softwareId"], "invoicePrefix": "SETP", "posPrefix": "POS"},
        "secrets": {
            "certificate": base64.b64decode(made["certificate"]),
            "certificatePassword": made["password"].encode(),
            "softwarePin": made["pin"].encode(),
        },
        "stock": tuple(made["ranges"]),
    }
    return ProfileDraft(**values | changes)


@dataclass
class ColombiaWorld:
    provider: ColombiaProvider
    issuer: IssuerProfile
    checked: CheckedProfile
    clock: FixedClock
    twin: DianTwin
    ticket: Reference | None = None

    def document(self, kind: DocumentKind, **changes: Any) -> FiscalDocument:
        if kind is DocumentKind.INVOICE:
            changes.setdefault("receiver", BUYER)
        if kind is DocumentKind.CREDIT_NOTE:
            changes.setdefault("reference", self.ticket)
        return sample(kind, country=Country.CO, at=self.clock.now(), **changes)

    async def lease(self, document: FiscalDocument) -> NumberLease:
        numbering = self.provider.numbering(self.issuer, document)
        stock = next((item for item in self.checked.stock if item.series == numbering.series), None)
        return NumberLease(numbering, next(_NUMBERS), stock)

    async def prepared(self, kind: DocumentKind = DocumentKind.INVOICE, **changes: Any) -> FiscalRef:
        document = self.document(kind, **changes)
        return FiscalRef(kind, await self.provider.prepare(self.issuer, document, await self.lease(document)))

    async def sent(self, ref: FiscalRef) -> Outcome:
        return await self.provider.issue(self.issuer, ref, idempotency_key="k-sent-0001")

    async def issued(self, ref: FiscalRef) -> int:
        return await self.twin.has(ref.prepared.local_fiscal_id or "")

    async def decide(self, ref: FiscalRef) -> None:
        await self.twin.decide(ref.authority_ref or ref.prepared.local_fiscal_id or "")

    async def next_times_out_after_accepting(self) -> None:
        await self._next("timeout_after_charging")

    async def next_is_rejected(self) -> None:
        await self._next("reject")

    async def next_is_slow(self) -> None:
        await self._next("slow", seconds=_TIMEOUT + 1)

    async def down(self) -> None:
        await self.twin.fault("down", times=None)

    async def up(self) -> None:
        await self.twin.clear_faults()

    async def _next(self, kind: str, **how: Any) -> None:
        # Whichever way it is sent: the other fault is left armed and cleared after the test.
        for operation in _SENDS:
            await self.twin.fault(kind, operation=operation, **how)


@pytest.fixture(scope="module")
async def twins() -> AsyncIterator[Twins]:
    async with running_twins() as running:
        yield running


@pytest.fixture(scope="module")
def twin(twins: Twins) -> DianTwin:
    return DianTwin(twins.url, "dian", twins._session)


@pytest.fixture(scope="module")
async def taxpayer(twin: DianTwin) -> dict[str, Any]:
    return await twin.taxpayer()


@pytest.fixture(scope="module")
async def workshop() -> AsyncIterator[Workshop]:
    shop = Workshop()
    yield shop
    await shop.close()


async def opened(
    twins: Twins, twin: DianTwin, taxpayer: dict[str, Any], workshop: Workshop, **settings: Any
) -> ColombiaWorld:
    clock = FixedClock()
    values = {"test_url": f"{twins.url}/dian", "timeout_seconds": _TIMEOUT, "calls_per_second": 1000} | settings
    provider = ColombiaProvider(Tools(clock, workshop), ColombiaSettings(**values))
    draft = draft_of(taxpayer)
    checked = provider.check_profile(draft, clock.now().date())
    issuer = IssuerProfile(
        business_id=new_id(),
        tax_id=checked.tax_id,
        legal_name=draft.legal_name,
        trade_name="",
        regime=draft.regime,
        address=draft.address,
        environment=draft.environment,
        time_zone=draft.time_zone,
        fields=dict(checked.fields),
        secrets=draft.secrets,
    )
    world = ColombiaWorld(provider, issuer, checked, clock, twin)
    ref = await world.prepared(DocumentKind.TICKET)
    outcome = await world.sent(ref)
    if outcome.state is State.SUBMITTED:
        ref = replace(ref, authority_ref=outcome.authority_ref)
        await world.decide(ref)
        outcome = await provider.status(issuer, ref)
    assert outcome.state is State.ACCEPTED, outcome
    world.ticket = Reference(
        kind=DocumentKind.TICKET,
        document_type=ref.prepared.document_type,
        series=ref.prepared.series,
        number=ref.prepared.number,
        fiscal_id=outcome.fiscal_id or "",
        issued_on=clock.now().date(),
        full=False,
        reason="Devolución",
    )
    return world


@pytest.fixture
async def world(
    twins: Twins, twin: DianTwin, taxpayer: dict[str, Any], workshop: Workshop
) -> AsyncIterator[ColombiaWorld]:
    world = await opened(twins, twin, taxpayer, workshop)
    yield world
    await twin.clear_faults()
    await world.provider.close()


class TestColombia(FiscalContract):
    pass


async def test_what_is_decided_later_is_asked_for_by_its_track_id(
    twins: Twins, twin: DianTwin, taxpayer: dict[str, Any], workshop: Workshop
) -> None:
    world = await opened(twins, twin, taxpayer, workshop, sending=Sending.ASYNC)
    try:
        ref = await world.prepared()
        taken = await world.sent(ref)
        assert (taken.state, taken.fiscal_id) == (State.SUBMITTED, None)
        ref = replace(ref, authority_ref=taken.authority_ref)
        waiting = await world.provider.status(world.issuer, ref)
        assert (waiting.state, waiting.authority_ref) == (State.SUBMITTED, taken.authority_ref)
        assert await world.issued(ref) == 0
        await world.decide(ref)
        assert (await world.provider.status(world.issuer, ref)).state is State.ACCEPTED
        # The answer with the track id was lost: its own key finds it.
        assert (await world.provider.status(world.issuer, replace(ref, authority_ref=None))).state is State.ACCEPTED
        refused = await world.prepared()
        track = (await world.sent(refused)).authority_ref
        await twin.decide(track or "", accept=False)
        assert (
            await world.provider.status(world.issuer, replace(refused, authority_ref=track))
        ).state is State.REJECTED
    finally:
        await world.provider.close()


async def test_a_set_of_tests_is_passed_while_being_let_in(world: ColombiaWorld) -> None:
    world.issuer = replace(world.issuer, fields={**world.issuer.fields, "testSetId": str(new_id())})
    ref = await world.prepared(DocumentKind.TICKET)
    taken = await world.sent(ref)
    assert taken.state is State.SUBMITTED
    await world.decide(ref)
    found = await world.provider.status(world.issuer, replace(ref, authority_ref=taken.authority_ref))
    assert found.state in ACCEPTED


async def test_a_number_that_another_document_has_is_refused_and_not_taken_for_this_one(world: ColombiaWorld) -> None:
    document = world.document(DocumentKind.INVOICE)
    lease = await world.lease(document)
    first = FiscalRef(document.kind, await world.provider.prepare(world.issuer, document, lease))
    assert (await world.sent(first)).state is State.ACCEPTED
    other = world.document(DocumentKind.INVOICE, receiver=BUYER.model_copy(update={"tax_id": "52123456"}))
    second = FiscalRef(other.kind, await world.provider.prepare(world.issuer, other, lease))
    outcome = await world.sent(second)
    assert (outcome.state, outcome.messages[0].code) == (State.REJECTED, "90")


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (b"Caf\xc3\xa9 de olla", b"Caf\xc3\xa9 de oro", "ZE02"),
        (b'<cbc:PayableAmount currencyID="COP">224.00', b'<cbc:PayableAmount currencyID="COP">200.00', "FAU14"),
        (b"<sts:To>5000000</sts:To>", b"<sts:To>9000000</sts:To>", "FAB05b"),
        (b"<cbc:ProfileExecutionID>2", b"<cbc:ProfileExecutionID>1", "FAD06"),
    ],
    ids=["goods", "total", "range", "environment"],
)
async def test_the_twin_refuses_what_was_altered(world: ColombiaWorld, old: bytes, new: bytes, rule: str) -> None:
    ref = await world.prepared()
    assert old in ref.prepared.payload
    altered = replace(ref.prepared, payload=ref.prepared.payload.replace(old, new))
    outcome = await world.sent(replace(ref, prepared=altered))
    assert outcome.state is State.REJECTED
    assert rule in {message.code for message in outcome.messages}


async def test_a_certificate_of_nobody_in_particular_is_not_let_in(world: ColombiaWorld) -> None:
    """The DIAN refuses the message and never sees the document: it waits, and is no rejection."""
    expired = await world.twin.taxpayer(nit="800197268-4", days=-1)
    ref = await world.prepared()
    secrets = {
        "certificate": base64.b64decode(expired["certificate"]),
        "certificatePassword": expired["password"].encode(),
    }
    world.issuer = replace(world.issuer, secrets={**world.issuer.secrets, **secrets})
    with pytest.raises(AuthorityUnavailable) as refused:
        await world.sent(ref)
    assert refused.value.code == "authority_refused_message"


async def test_an_expired_certificate_signs_nothing(world: ColombiaWorld) -> None:
    document = world.document(DocumentKind.TICKET, issued_at=world.clock.now().replace(year=2099))
    with pytest.raises(BadProfile):
        await world.provider.prepare(world.issuer, document, await world.lease(document))


async def test_the_validation_is_kept_and_printed(world: ColombiaWorld) -> None:
    document = world.document(DocumentKind.TICKET)
    ref = FiscalRef(document.kind, await world.provider.prepare(world.issuer, document, await world.lease(document)))
    outcome = await world.sent(ref)
    assert outcome.receipt is not None
    assert (outcome.fiscal_id or "").encode() in outcome.receipt
    assert etree.fromstring(outcome.receipt).tag.endswith("ApplicationResponse")
    printed = world.provider.printed(world.issuer, document, ref.prepared, outcome)
    assert dict(printed.facts)["CUDE"] == outcome.fiscal_id
    assert "Validación DIAN" in dict(printed.facts)
    assert printed.code is not None
    assert printed.code.content.endswith(outcome.fiscal_id or "?")
    assert "18760000002" in printed.texts[0]


async def test_a_profile_is_told_all_that_is_wrong_with_it(world: ColombiaWorld, taxpayer: dict[str, Any]) -> None:
    today = world.clock.now().date()
    good = draft_of(taxpayer)
    assert world.checked.tax_id == NIT
    assert [stock.series for stock in world.checked.stock] == ["01-SETP", "20-POS"]

    def wrong(**changes: Any) -> set[str]:
        with pytest.raises(BadProfile) as error:
            world.provider.check_profile(replace(good, **changes), today)
        return {field.field for field in error.value.fields}

    other = draft_of(await world.twin.taxpayer(nit="800197268-4")).secrets
    assert wrong(tax_id="900123456-1", regime="X-1", address=Address(city_code="1")) == {
        *("taxId", "taxRegime", "address.cityCode", "address.street", "address.city", "address.state")
    }
    assert wrong(secrets={}) == {"credentials.certificate", "credentials.softwarePin"}
    assert wrong(secrets={**good.secrets, "certificatePassword": b"another"}) == {"credentials.certificate"}
    assert wrong(secrets={**good.secrets, "certificate": b"\x00"}) == {"credentials.certificate"}
    assert wrong(
        secrets={**good.secrets, **{name: other[name] for name in ("certificate", "certificatePassword")}}
    ) == {"credentials.certificate"}
    assert wrong(fields={**good.fields, "softwareId": "no uuid", "posPrefix": "TOO LONG", "personType": "3"}) >= {
        *("fields.softwareId", "fields.posPrefix", "fields.personType")
    }
    assert wrong(fields={**good.fields, "adjustmentNotePrefix": "nc"}) == {"fields.adjustmentNotePrefix"}
    with pytest.raises(BadProfile):
        world.provider.check_profile(good, today.replace(year=2099))
    first = dict(good.stock[0])
    for change in (
        *({"documentType": "91"}, {"prefix": "OTHR"}, {"from": "9", "to": "1"}, {"from": "1" * 13}, {"to": "²"}),
        *({"resolution": ""}, {"validFrom": "2026-02-30"}, {"validTo": "2020-01-01"}, {"technicalKey": ""}),
    ):
        assert wrong(stock=(first | change,)) == {"numbering.0"}, change
