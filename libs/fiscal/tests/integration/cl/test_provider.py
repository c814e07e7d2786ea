"""Chile against the twin of SII: the contract of all countries, and what only SII does."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from fiscal.cl.provider import ChileProvider
from fiscal.cl.settings import ChileSettings
from fiscal.document import Address, DocumentKind, FiscalDocument, Receiver, Reference
from fiscal.errors import AuthorityUnavailable, BadProfile
from fiscal.profile import Environment, IssuerProfile, ProfileDraft
from fiscal.provider import FiscalRef, NumberLease, Outcome, State
from fiscal.registry import Tools
from fiscal.testing.contract import ACCEPTED, FiscalContract
from fiscal.testing.fake import sample
from fiscal.workshop import Workshop
from kernel import Country, FixedClock, new_id
from twins.testing import ControlRefused, Twins, ask, running_twins

pytestmark = [pytest.mark.integration, pytest.mark.contract]

RUT, PERSON = "76192083-9", "12345678-5"
TYPES = (33, 34, 39, 41, 61)
BUYER = Receiver(
    name="Comercial Ñandú Ltda.",
    tax_id="77.777.777-7",
    use="Venta al por menor",
    address=Address(street="Av. Providencia 1234", district="Providencia", city="Santiago"),
)


@dataclass
class Authority:
    twins: Twins
    workshop: Workshop
    certificate: dict[str, str]
    cafs: dict[int, str]

    async def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return await ask(self.twins._session, method, f"{self.twins.url}/_control/sii{path}", body)


@pytest.fixture(scope="module")
async def authority() -> AsyncIterator[Authority]:
    workshop = Workshop()
    async with running_twins() as twins:
        found = Authority(twins, workshop, {}, {})
        await found.control("POST", "/decisions", {"seconds": 86_400})
        found.certificate = await found.control("POST", "/certificates", {"rut": PERSON})
        for kind in TYPES:
            answer = await found.control("POST", "/cafs", {"rut": RUT, "name": "Café & Té SpA", "type": kind})
            found.cafs[kind] = answer["caf"]
        yield found
    await workshop.close()


class ChileWorld:
    """A FiscalWorld."""

    numbers: dict[str, int]

    def __init__(self, authority: Authority, **settings: Any) -> None:
        url = f"{authority.twins.url}/sii"
        self.authority = authority
        self.clock = FixedClock()
        chosen = ChileSettings(
            test_boleta_url=url,
            test_boleta_upload_url=url,
            test_dte_url=url,
            **{"timeout_seconds": 0.8, "batch_seconds": 0.0, **settings},
        )
        self.provider = ChileProvider(chosen, Tools(self.clock, authority.workshop))
        checked = self.provider.check_profile(self.draft(), self.clock.now().date())
        self.stock = {stock.series: stock for stock in checked.stock}
        self.issuer = IssuerProfile(
            business_id=new_id(),
            tax_id=checked.tax_id,
            legal_name="Café & Té SpA",
            trade_name="",
            regime="",
            address=self.draft().address,
            environment=Environment.TEST,
            time_zone=Country.CL.time_zone,
            fields=dict(checked.fields),
            secrets=dict(self.draft().secrets),
        )

    def draft(self, **changes: Any) -> ProfileDraft:
        values: dict[str, Any] = {
            "tax_id": "76.192.083-9",
            "legal_name": "Café & Té SpA",
            "regime": "",
            "address": Address(street="Alameda 100", district="Santiago", city="Santiago"),
            "environment": Environment.TEST,
            "time_zone": Country.CL.time_zone,
            "fields": {
                "activity": "Cafetería",
                "activityCode": "561000",
                "resolutionDate": "2014-08-22",
                "resolutionNumber": "80",
                "office": "Santiago Centro",
            },
            "secrets": {
                "certificate": base64.b64decode(self.authority.certificate["certificate"]),
                "certificatePassword": self.authority.certificate["password"].encode(),
            },
            "stock": tuple({"caf": content} for content in self.authority.cafs.values()),
        }
        return ProfileDraft(**values | changes)

    def document(self, kind: DocumentKind, **changes: Any) -> FiscalDocument:
        if kind is DocumentKind.INVOICE:
            changes = {"receiver": BUYER, **changes}
        if kind is DocumentKind.CREDIT_NOTE:
            day = self.clock.now().date()
            reference = Reference(
                kind=DocumentKind.TICKET, document_type="39", series="39", number=1, fiscal_id="T39F1", issued_on=day
            )
            changes = {"reference": reference, **changes}
        return sample(kind, country=Country.CL, at=self.clock.now(), **changes)

    async def lease(self, document: FiscalDocument) -> NumberLease:
        numbering = self.provider.numbering(self.issuer, document)
        number = _NUMBERS[numbering.series] = _NUMBERS.get(numbering.series, 0) + 1
        return NumberLease(numbering, number, self.stock[numbering.series])

    async def prepared(self, kind: DocumentKind, **changes: Any) -> FiscalRef:
        document = self.document(kind, **changes)
        return FiscalRef(kind, await self.provider.prepare(self.issuer, document, await self.lease(document)))

    async def issue(self, ref: FiscalRef) -> Outcome:
        return await self.provider.issue(self.issuer, ref, idempotency_key=str(new_id()))

    async def settled(self, ref: FiscalRef, outcome: Outcome) -> Outcome:
        await self.decide(ref)
        known = dataclasses.replace(ref, authority_ref=outcome.authority_ref)
        return await self.provider.status(self.issuer, known)

    async def issued(self, ref: FiscalRef) -> int:
        try:
            found = (await self.authority.control("GET", f"/documents/{self._key(ref)}"))["data"]
        except ControlRefused:
            return 0
        return 0 if found["state"] == "rejected" else 1

    async def decide(self, ref: FiscalRef) -> None:
        await self.authority.control("POST", f"/documents/{self._key(ref)}/decide", {"accept": True})

    def _key(self, ref: FiscalRef) -> str:
        return f"{RUT}/{ref.prepared.document_type}/{ref.prepared.number}"

    async def next_times_out_after_accepting(self) -> None:
        await self.fault("timeout_after_charging", operation="upload")

    async def next_is_rejected(self) -> None:
        await self.fault("reject", operation="upload")

    async def next_is_slow(self) -> None:
        await self.fault("slow", operation="upload", seconds=3)

    async def down(self) -> None:
        await self.fault("down", times=None)

    async def up(self) -> None:
        await self.authority.twins.clear_faults("sii")

    async def fault(self, kind: str, **options: Any) -> None:
        await self.authority.twins.fault(kind, twin="sii", **options)


# Folios of one issuer are used once, whichever test comes first.
_NUMBERS: dict[str, int] = {}


@pytest.fixture
async def world(authority: Authority) -> AsyncIterator[ChileWorld]:
    world = ChileWorld(authority)
    yield world
    await world.provider.close()
    await world.up()


class TestChile(FiscalContract):
    """The contract."""


async def test_boletas_and_everything_else_take_different_doors(world: ChileWorld) -> None:
    """The same faults and the same end, over SOAP as over REST."""
    for kind in (DocumentKind.TICKET, DocumentKind.CREDIT_NOTE):
        ref = await world.prepared(kind)
        await world.next_times_out_after_accepting()
        with pytest.raises(Exception, match="outcome_unknown"):
            await world.issue(ref)
        waiting = await world.provider.status(world.issuer, ref)
        assert waiting.state is State.SUBMITTED
        await world.decide(ref)
        assert (await world.provider.status(world.issuer, ref)).state in ACCEPTED
        assert await world.issued(ref) == 1


async def test_documents_of_a_moment_share_an_envelope(authority: Authority, world: ChileWorld) -> None:
    batching = ChileWorld(authority, batch_seconds=0.2, batch_size=4)
    try:
        refs = [await batching.prepared(DocumentKind.TICKET) for _ in range(5)]
        outcomes = await asyncio.gather(*(batching.issue(ref) for ref in refs))
        tracks = [outcome.authority_ref for outcome in outcomes]
        assert len(set(tracks)) == 2
        for ref in refs:
            await batching.decide(ref)
        for ref, outcome in zip(refs, outcomes, strict=True):
            assert (await batching.settled(ref, outcome)).state in ACCEPTED
    finally:
        await batching.provider.close()


async def test_what_is_refused_in_a_shared_envelope_takes_no_other_with_it(authority: Authority) -> None:
    batching = ChileWorld(authority, batch_seconds=0.2)
    try:
        for kind in (DocumentKind.TICKET, DocumentKind.INVOICE):
            known = await batching.prepared(kind)
            await batching.settled(known, await batching.issue(known))
            # Its folio, and another document: SII has the first.
            other = await batching.provider.prepare(
                batching.issuer,
                batching.document(kind, lines=batching.document(kind).lines[:1]),
                NumberLease(
                    batching.provider.numbering(batching.issuer, batching.document(kind)),
                    known.prepared.number,
                    batching.stock[known.prepared.series],
                ),
            )
            good = await batching.prepared(kind)
            bad = FiscalRef(kind, other)
            outcomes = await asyncio.gather(batching.issue(bad), batching.issue(good))
            assert outcomes[0].authority_ref == outcomes[1].authority_ref
            await batching.decide(good)
            assert (await batching.settled(good, outcomes[1])).state in ACCEPTED
            refused = await batching.settled(bad, outcomes[0])
            assert (refused.state, refused.fiscal_id) == (State.REJECTED, None)
            assert refused.messages[0].code
    finally:
        await batching.provider.close()


async def test_a_token_that_ended_is_renewed_and_one_is_used_for_many(world: ChileWorld) -> None:
    for kind in (DocumentKind.TICKET, DocumentKind.INVOICE):
        first = await world.prepared(kind)
        await world.settled(first, await world.issue(first))
        # None may be asked for: the one that is there does.
        await world.fault("down", operation="seed", times=None)
        second = await world.prepared(kind)
        sent = await world.issue(second)
        await world.up()
        assert (await world.authority.control("POST", "/tokens/revoke"))["revoked"] > 0
        assert (await world.settled(second, sent)).state in ACCEPTED


async def test_a_certificate_that_sii_does_not_know_sends_nothing(world: ChileWorld) -> None:
    async with running_twins() as elsewhere:
        found = await ask(
            elsewhere._session, "POST", f"{elsewhere.url}/_control/sii/certificates", {"rut": PERSON, "name": "Otra"}
        )
    secrets = {
        "certificate": base64.b64decode(found["certificate"]),
        "certificatePassword": found["password"].encode(),
    }
    stranger = dataclasses.replace(world.issuer, secrets=secrets)
    document = world.document(DocumentKind.TICKET)
    prepared = await world.provider.prepare(stranger, document, await world.lease(document))
    ref = FiscalRef(DocumentKind.TICKET, prepared)
    with pytest.raises(AuthorityUnavailable) as caught:
        await world.provider.issue(stranger, ref, idempotency_key="k-stranger-1")
    assert caught.value.code == "authority_refused_certificate"
    assert await world.issued(ref) == 0


async def test_the_twin_sees_what_is_forged(world: ChileWorld) -> None:
    """An amount changed after sealing, and a folio beyond its CAF: rejected, each with its reason."""
    ref = await world.prepared(DocumentKind.TICKET)
    forged = ref.prepared.payload.replace(b"<MntTotal>22400<", b"<MntTotal>22401<")
    assert forged != ref.prepared.payload
    bad = FiscalRef(ref.kind, dataclasses.replace(ref.prepared, payload=forged))
    refused = await world.settled(bad, await world.issue(bad))
    assert refused.state is State.REJECTED
    assert "DTE-3-505" in {message.code for message in refused.messages}
    document = world.document(DocumentKind.TICKET)
    lease = dataclasses.replace(await world.lease(document), number=1001)
    beyond = FiscalRef(ref.kind, await world.provider.prepare(world.issuer, document, lease))
    refused = await world.settled(beyond, await world.issue(beyond))
    assert [message.code for message in refused.messages] == ["CAF-3-516"]


async def test_a_profile_names_every_wrong_field(world: ChileWorld) -> None:
    day = world.clock.now().date()
    expired = await world.authority.control("POST", "/certificates", {"rut": PERSON, "days": -365})
    other = await world.authority.control("POST", "/cafs", {"rut": "77777777-7", "type": 39})
    fields = {**world.draft().fields, "activityCode": "x", "resolutionDate": "ayer", "resolutionNumber": "\u0663"}
    with pytest.raises(BadProfile) as caught:
        world.provider.check_profile(
            world.draft(
                tax_id="76192083-8",
                address=Address(),
                fields=fields,
                secrets={
                    "certificate": base64.b64decode(expired["certificate"]),
                    "certificatePassword": expired["password"].encode(),
                },
                stock=({"caf": "%%"}, {"caf": base64.b64encode(b"<!DOCTYPE a []><a/>").decode()}, {}),
            ),
            day,
        )
    assert [error.field for error in caught.value.fields] == [
        "taxId",
        "address.street",
        "address.district",
        "fields.activityCode",
        "fields.resolutionNumber",
        "fields.resolutionDate",
        "credentials.certificate",
        "numbering.0",
        "numbering.1",
        "numbering.2",
    ]
    assert all(world.authority.certificate["password"] not in error.message for error in caught.value.fields)
    for changes, field in (
        ({"stock": ({"caf": other["caf"]},)}, "numbering.0"),
        ({"environment": Environment.PRODUCTION}, "numbering.0"),
        ({"secrets": {}}, "credentials.certificate"),
        ({"secrets": {**world.draft().secrets, "certificatePassword": b"no"}}, "credentials.certificate"),
        ({"fields": {**world.draft().fields, "senderTaxId": "77777777-7"}}, "fields.senderTaxId"),
    ):
        with pytest.raises(BadProfile) as caught:
            world.provider.check_profile(world.draft(**changes), day)
        assert caught.value.fields[0].field == field
