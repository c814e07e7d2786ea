"""Mexico beside the twin of its PACs and of SAT: the contract of all countries, and what only Mexico does."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest
import xmlsec
from fiscal.document import Address, DocumentKind, FiscalDocument, Receiver, Reference
from fiscal.errors import AuthorityUnavailable, BadProfile, OutcomeUnknown, Rejected
from fiscal.mx.provider import Mexico
from fiscal.mx.settings import MexicoSettings
from fiscal.profile import Environment, IssuerProfile, ProfileDraft
from fiscal.provider import CancelRequest, FiscalRef, NumberLease, Outcome, State
from fiscal.registry import Tools
from fiscal.testing.contract import FiscalContract
from fiscal.testing.fake import sample
from fiscal.workshop import Workshop
from kernel import Country, Currency, FixedClock, Money, new_id
from lxml import etree
from pydantic import SecretStr
from twins.testing import ControlRefused, ProviderTwin, Twins, running_twins

pytestmark = pytest.mark.integration

RFC = "EKU9003173C9"
BUYER = Receiver(
    name="Xóchitl Casas Chávez",
    tax_id="CACX7605101P8",
    regime="612",
    use="G03",
    address=Address(postal_code="36257"),
)
_TIMEOUT = 1.5
# Over all tests: what has the same number at the same time is the same document.
_NUMBERS = count(1)


class Authorities(ProviderTwin):
    async def csd(self, **wanted: Any) -> dict[str, bytes]:
        order = {"rfc": RFC, "name": "ESCUELA KEMPER URGATE"} | wanted
        made = (await self._ask("POST", "/csd", order))["data"]
        return {
            "certificate": base64.b64decode(made["certificate"]),
            "key": base64.b64decode(made["key"]),
            "keyPassword": made["keyPassword"].encode(),
        }

    async def has(self, key: str) -> bool:
        try:
            await self._ask("GET", f"/documents/{key}")
        except ControlRefused as refused:
            if refused.status != 404:
                raise
            return False
        return True

    async def decide(self, key: str, *, accept: bool = True) -> None:
        await self._ask("POST", f"/documents/{key}/decide", {"accept": accept})


@dataclass
class MexicoWorld:
    provider: Mexico
    issuer: IssuerProfile
    clock: FixedClock
    authorities: Authorities
    accepted: Outcome

    def document(self, kind: DocumentKind, **changes: Any) -> FiscalDocument:
        if kind is DocumentKind.CREDIT_NOTE:
            assert self.accepted.fiscal_id is not None
            changes.setdefault(
                "reference",
                Reference(
                    kind=DocumentKind.INVOICE,
                    document_type="I",
                    series="F",
                    number=1,
                    fiscal_id=self.accepted.fiscal_id,
                    issued_on=self.clock.now().date(),
                ),
            )
        if kind is DocumentKind.GLOBAL:
            changes.setdefault("lines", [{**line, "sku": "R-00000001"} for line in self.lines()])
        else:
            changes.setdefault("receiver", BUYER)
        return sample(kind, country=Country.MX, at=self.clock.now(), **changes)

    def lines(self) -> list[dict[str, Any]]:
        return [line.model_dump() for line in sample(DocumentKind.INVOICE, at=self.clock.now()).lines]

    async def lease(self, document: FiscalDocument) -> NumberLease:
        return NumberLease(self.provider.numbering(self.issuer, document), next(_NUMBERS))

    async def prepared(self, kind: DocumentKind = DocumentKind.INVOICE, **changes: Any) -> FiscalRef:
        document = self.document(kind, **changes)
        return FiscalRef(kind, await self.provider.prepare(self.issuer, document, await self.lease(document)))

    async def sent(self, ref: FiscalRef) -> FiscalRef:
        outcome = await self.provider.issue(self.issuer, ref, idempotency_key="k-sent-0001")
        assert outcome.state is State.ACCEPTED, outcome
        return replace(ref, fiscal_id=outcome.fiscal_id, authority_ref=outcome.authority_ref)

    async def issued(self, ref: FiscalRef) -> int:
        """Over both PACs: a document that each has stamped counts twice."""
        digest = ref.prepared.payload_sha256
        return sum([await self.authorities.has(f"{pac}:{digest}") for pac in ("sw", "finkok")])

    async def decide(self, ref: FiscalRef) -> None:
        if ref.fiscal_id is not None:
            await self.authorities.decide(ref.fiscal_id)

    async def next_times_out_after_accepting(self) -> None:
        await self.authorities.fault("timeout_after_charging", operation="sw.stamp")

    async def next_is_rejected(self) -> None:
        await self.authorities.fault("reject", operation="sw.stamp")

    async def next_is_slow(self) -> None:
        await self.authorities.fault("slow", operation="sw.stamp", seconds=_TIMEOUT + 1)

    async def down(self) -> None:
        await self.authorities.fault("down", times=None)

    async def up(self) -> None:
        await self.authorities.clear_faults()


@pytest.fixture(scope="module")
async def twins() -> AsyncIterator[Twins]:
    async with running_twins() as running:
        yield running


@pytest.fixture(scope="module")
def authorities(twins: Twins) -> Authorities:
    return Authorities(twins.url, "mx", twins._session)


@pytest.fixture(scope="module")
async def secrets(authorities: Authorities) -> dict[str, bytes]:
    return await authorities.csd()


@pytest.fixture(scope="module")
async def workshop() -> AsyncIterator[Workshop]:
    shop = Workshop()
    yield shop
    await shop.close()


def settings(twins: Twins, **changes: Any) -> MexicoSettings:
    values: dict[str, Any] = {
        "sw_test_url": f"{twins.url}/sw",
        "sw_test_token": SecretStr("a token"),
        "finkok_test_url": f"{twins.url}/finkok",
        "finkok_test_user": "cobro",
        "finkok_test_password": SecretStr("a password & more"),
        "sat_test_url": f"{twins.url}/sat",
        "timeout_seconds": _TIMEOUT,
        "calls_per_second": 1000,
    }
    return MexicoSettings(**values | changes)


@pytest.fixture
async def world(
    twins: Twins, authorities: Authorities, secrets: dict[str, bytes], workshop: Workshop
) -> AsyncIterator[MexicoWorld]:
    clock = FixedClock()
    provider = Mexico(settings(twins), Tools(clock, workshop))
    issuer = IssuerProfile(
        business_id=new_id(),
        tax_id=RFC,
        legal_name="Escuela Kemper Urgate",
        trade_name="",
        regime="601",
        address=Address(postal_code="42501"),
        environment=Environment.TEST,
        time_zone="America/Mexico_City",
        secrets=secrets,
    )
    world = MexicoWorld(provider, issuer, clock, authorities, Outcome(State.PREPARED))
    ref = await world.prepared()
    world.accepted = await provider.issue(issuer, ref, idempotency_key="k-original-1")
    yield world
    await authorities.clear_faults()
    await provider.close()


class TestMexico(FiscalContract):
    pass


async def test_what_one_pac_certainly_has_not_done_the_other_does(world: MexicoWorld) -> None:
    ref = await world.prepared()
    await world.authorities.fault("down", operation="sw.stamp")
    outcome = await world.provider.issue(world.issuer, ref, idempotency_key="k-failover-1")
    assert (outcome.state, outcome.authority_ref) == (State.ACCEPTED, "finkok")
    found = await world.provider.status(world.issuer, replace(ref, authority_ref="finkok"))
    assert found.fiscal_id == outcome.fiscal_id


async def test_a_document_whose_fate_is_unknown_at_one_is_sent_to_no_other(world: MexicoWorld) -> None:
    """Not even when the first has nothing to say for itself any more."""
    ref = await world.prepared()
    await world.authorities.fault("timeout_after_charging", operation="sw.stamp")
    with pytest.raises(OutcomeUnknown) as unknown:
        await world.provider.issue(world.issuer, ref, idempotency_key="k-unknown-01")
    assert unknown.value.authority_ref == "sw"
    ref = replace(ref, authority_ref=unknown.value.authority_ref)
    await world.authorities.fault("down", operation="sw.stamp")
    with pytest.raises(AuthorityUnavailable):
        await world.provider.issue(world.issuer, ref, idempotency_key="k-unknown-01")
    assert await world.issued(ref) == 1
    outcome = await world.provider.issue(world.issuer, ref, idempotency_key="k-unknown-01")
    assert outcome.state is State.ACCEPTED
    assert await world.issued(ref) == 1


async def test_while_one_pac_is_silent_nothing_is_said_not_to_be_there(world: MexicoWorld) -> None:
    ref = await world.prepared()
    await world.authorities.fault("down", operation="finkok.stamped")
    with pytest.raises(AuthorityUnavailable):
        await world.provider.status(world.issuer, ref)


async def test_finkok_says_only_that_it_was_before_and_is_asked_what(
    twins: Twins, world: MexicoWorld, workshop: Workshop
) -> None:
    alone = Mexico(settings(twins, pacs=("finkok",)), Tools(world.clock, workshop))
    ref = await world.prepared()
    await world.authorities.fault("timeout_after_charging", operation="finkok.stamp")
    with pytest.raises(OutcomeUnknown):
        await alone.issue(world.issuer, ref, idempotency_key="k-finkok-01")
    again = await alone.issue(world.issuer, ref, idempotency_key="k-finkok-01")
    assert (again.state, again.authority_ref) == (State.ACCEPTED, "finkok")
    canceled = await alone.cancel(
        world.issuer, replace(ref, fiscal_id=again.fiscal_id, authority_ref="finkok"), CancelRequest("02")
    )
    assert canceled.state is State.CANCELED
    assert canceled.receipt
    await alone.close()


@pytest.mark.parametrize("accept", [True, False], ids=["agrees", "refuses"])
async def test_a_buyer_is_asked_before_a_large_invoice_is_canceled(world: MexicoWorld, accept: bool) -> None:
    lines = world.lines()
    price = Money(250_000, Currency.MXN)
    lines[1] |= {"unit_price": price, "gross": price}
    ref = await world.sent(await world.prepared(lines=lines, payments=()))
    pending = await world.provider.cancel(world.issuer, ref, CancelRequest("03"))
    assert (pending.state, pending.fiscal_id) == (State.CANCEL_PENDING, ref.fiscal_id)
    assert pending.retry_after is not None
    assert (await world.provider.status(world.issuer, ref)).state is State.CANCEL_PENDING
    assert ref.fiscal_id is not None
    await world.authorities.decide(ref.fiscal_id, accept=accept)
    after = await world.provider.status(world.issuer, ref)
    assert after.state is (State.CANCELED if accept else State.CANCEL_REJECTED)


async def test_only_motive_01_names_what_takes_its_place(world: MexicoWorld) -> None:
    ref = await world.sent(await world.prepared())
    for request in (CancelRequest("01"), CancelRequest("02", substitution=ref.fiscal_id)):
        assert (await world.provider.cancel(world.issuer, ref, request)).state is State.CANCEL_REJECTED
    other = await world.sent(await world.prepared())
    outcome = await world.provider.cancel(world.issuer, ref, CancelRequest("01", other.fiscal_id))
    assert outcome.state is State.CANCELED


async def test_the_request_to_cancel_is_signed_as_libxmlsec_reads_it(world: MexicoWorld, workshop: Workshop) -> None:
    uuid = str(new_id()).upper()
    signed = await workshop.run(
        "fiscal.mx.signing:cancelation", dict(world.issuer.secrets), uuid, "02", None, world.clock.now()
    )

    def verify(content: bytes) -> None:
        root = etree.fromstring(content)
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(world.issuer.secrets["certificate"], xmlsec.KeyFormat.CERT_DER)
        context.verify(xmlsec.tree.find_node(root, xmlsec.Node.SIGNATURE))

    verify(signed)
    with pytest.raises(xmlsec.Error):
        verify(signed.replace(uuid.encode(), str(new_id()).upper().encode()))


async def test_an_invoice_needs_what_sat_knows_of_its_receiver(world: MexicoWorld) -> None:
    document = world.document(DocumentKind.INVOICE, receiver=Receiver(name="Ana", tax_id="CACX7605101P8"))
    with pytest.raises(Rejected) as rejected:
        world.provider.numbering(world.issuer, document)
    assert {message.code for message in rejected.value.messages} == {"receiver_regime", "receiver_postal_code"}


async def test_an_expired_seal_signs_nothing(world: MexicoWorld) -> None:
    expired = await world.authorities.csd(days=-1)
    document = world.document(DocumentKind.INVOICE, issued_at=world.clock.now().replace(year=2099))
    lease = await world.lease(document)
    with pytest.raises(BadProfile):
        await world.provider.prepare(replace(world.issuer, secrets=expired), document, lease)


async def test_a_profile_is_told_all_that_is_wrong_with_it(world: MexicoWorld) -> None:
    today = world.clock.now().date().replace(year=2026)
    good = ProfileDraft(
        tax_id=RFC.lower(),
        legal_name="Escuela Kemper Urgate",
        regime="601",
        address=Address(postal_code="42501"),
        environment=Environment.TEST,
        time_zone="America/Mexico_City",
        secrets=world.issuer.secrets,
    )
    checked = world.provider.check_profile(good, today)
    assert checked.tax_id == RFC
    assert checked.fields["globalPeriodicity"] == "DAILY"
    assert [info.name for info in checked.certificates] == ["certificate"]

    def wrong(**changes: Any) -> set[str]:
        with pytest.raises(BadProfile) as error:
            world.provider.check_profile(replace(good, **changes), today)
        return {field.field for field in error.value.fields}

    other, efirma = await world.authorities.csd(rfc="XOJI740919U48"), await world.authorities.csd(usage="efirma")
    assert wrong(tax_id="EKU9003173C8", regime="999", address=Address(postal_code="4250")) == {
        "taxId",
        "taxRegime",
        "address.postalCode",
        "credentials.certificate",
    }
    assert wrong(fields={"globalPeriodicity": "YEARLY", "productCode": "x"}) == {
        "fields.globalPeriodicity",
        "fields.productCode",
    }
    assert wrong(secrets={}) == {"credentials.certificate", "credentials.key", "credentials.keyPassword"}
    assert wrong(secrets=other) == {"credentials.certificate"}
    assert wrong(secrets=efirma) == {"credentials.certificate"}
    assert wrong(secrets={**world.issuer.secrets, "key": other["key"]}) == {"credentials.certificate"}
    assert wrong(secrets={**world.issuer.secrets, "keyPassword": b"no"}) == {"credentials.key"}
    assert wrong(secrets=await world.authorities.csd(days=-700)) == {"credentials.certificate"}


async def test_the_stamp_of_another_document_is_no_acceptance(world: MexicoWorld, workshop: Workshop) -> None:
    ref = await world.prepared()
    assert world.accepted.signed_document is not None
    uuid = await workshop.run("fiscal.mx.reading:stamped_uuid", world.accepted.signed_document, ref.prepared.payload)
    assert uuid is None
