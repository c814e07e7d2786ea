"""Argentina beside its authority's twin: the contract of all countries, and what only ARCA does."""

from __future__ import annotations

import asyncio
import base64
import ssl
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fiscal.ar.client import weak_tls
from fiscal.ar.provider import ArgentinaProvider
from fiscal.ar.settings import ArgentinaSettings
from fiscal.ar.signing import ticket_request
from fiscal.document import Address, DocumentKind, FiscalDocument, Receiver, Reference
from fiscal.errors import AuthorityUnavailable, BadProfile, OutcomeUnknown
from fiscal.profile import Environment, IssuerProfile, ProfileDraft
from fiscal.provider import FiscalRef, NumberLease, Outcome, State
from fiscal.registry import Tools
from fiscal.testing.contract import FiscalContract
from fiscal.testing.fake import sample
from fiscal.tickets import MemoryTickets
from fiscal.workshop import Workshop
from kernel import Country, FixedClock, new_id
from twins.testing import ControlRefused, ProviderTwin, Twins, running_twins

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
        except ControlRefused:
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
        address=Address(),
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


def another(world: ArgentinaWorld, tickets: MemoryTickets | None = None) -> ArgentinaProvider:
    """As another process has it, with the tickets they share or none."""
    tools = replace(world.provider._tools, tickets=tickets or world.provider._tools.tickets)
    return ArgentinaProvider(tools, world.provider._settings)


async def test_a_ticket_is_asked_for_once_and_shared(world: ArgentinaWorld) -> None:
    """The twin refuses a second one, as WSAA does, so every process must find the first."""
    await world.arca.revoke()
    last = world.provider.numbering(world.issuer, world.ticket)
    asked = await asyncio.gather(
        *(world.provider.last_number(world.issuer, last) for _ in range(8)), return_exceptions=True
    )
    assert set(asked) == {world.original.prepared.number}
    other = another(world)
    assert await other.last_number(world.issuer, last) == world.original.prepared.number
    await other.close()

    lost = another(world, MemoryTickets(world.clock.now))
    with pytest.raises(AuthorityUnavailable) as waiting:
        await lost.last_number(world.issuer, last)
    assert (waiting.value.code, waiting.value.retry_after) == ("ticket_elsewhere", 120)
    world.clock.advance(timedelta(hours=13))
    assert await lost.last_number(world.issuer, last) == world.original.prepared.number
    await lost.close()


async def test_only_one_process_asks_for_a_ticket_at_a_time(world: ArgentinaWorld) -> None:
    tickets = MemoryTickets(world.clock.now)
    world.clock.advance(timedelta(hours=13))
    providers = [another(world, tickets) for _ in range(3)]
    numbering = world.provider.numbering(world.issuer, world.ticket)
    asked = await asyncio.gather(
        *(provider.last_number(world.issuer, numbering) for provider in providers), return_exceptions=True
    )
    codes = {error.code for error in asked if isinstance(error, AuthorityUnavailable)}
    assert codes <= {"ticket_under_way"}
    assert world.original.prepared.number in asked
    for provider in providers:
        assert await provider.last_number(world.issuer, numbering) == world.original.prepared.number
        await provider.close()


async def test_a_document_sent_with_a_worthless_ticket_is_sent_again_with_a_new_one(world: ArgentinaWorld) -> None:
    ref = await world.prepared()
    await world.arca.revoke()
    outcome = await world.provider.issue(world.issuer, ref, idempotency_key="k-revoked-1")
    assert outcome.state is State.ACCEPTED
    assert await world.arca.times(world.key(ref)) == 1


@pytest.mark.parametrize(
    ("operation", "kind", "error"),
    [
        ("loginCms", "down", AuthorityUnavailable),
        ("loginCms", "timeout_before", AuthorityUnavailable),
        ("FECAESolicitar", "http_500", OutcomeUnknown),
        ("FECAESolicitar", "timeout_before", OutcomeUnknown),
    ],
)
async def test_trouble_moves_no_document(
    world: ArgentinaWorld, operation: str, kind: str, error: type[Exception]
) -> None:
    """Before it is sent nothing happened; after that nobody knows, and asking finds nothing."""
    ref = await world.prepared()
    if operation == "loginCms":
        await world.arca.revoke()
    await world.arca.fault(kind, operation=operation)
    with pytest.raises(error):
        await world.provider.issue(world.issuer, ref, idempotency_key="k-trouble-1")
    assert (await world.provider.status(world.issuer, ref)).state is State.PREPARED


async def test_a_number_that_another_system_took_is_no_acceptance(world: ArgentinaWorld) -> None:
    """It has another amount: whoever it is, it is not ours."""
    mine, theirs = await world.prepared(), await world.prepared()
    body = theirs.prepared.payload.replace(b">224.00<", b">225.00<").replace(b">45.00<", b">46.00<")
    other = replace(theirs, prepared=replace(theirs.prepared, payload=body))
    assert (await world.provider.issue(world.issuer, other, idempotency_key="k-theirs-1")).state is State.ACCEPTED

    refused = await world.provider.issue(world.issuer, mine, idempotency_key="k-mine-0001")
    asked = await world.provider.status(world.issuer, mine)

    assert (refused.state, [message.code for message in refused.messages]) == (State.REJECTED, ["10016"])
    assert (asked.state, [message.code for message in asked.messages]) == (State.REJECTED, ["numero_ajeno"])


async def test_what_the_business_has_to_mend_is_named(world: ArgentinaWorld) -> None:
    numbering = world.provider.numbering(world.issuer, world.ticket)
    await world.arca.fault("reject", operation="FECompUltimoAutorizado")
    with pytest.raises(BadProfile) as unknown:
        await world.provider.last_number(world.issuer, numbering)
    await world.arca.revoke()
    await world.arca.fault("reject", operation="loginCms")
    with pytest.raises(BadProfile) as unregistered:
        await world.provider.last_number(world.issuer, numbering)
    ref = await world.prepared()
    await world.arca.revoke()
    await world.arca.fault("reject", operation="loginCms")
    # Of a document that may be there already nobody says that it failed.
    with pytest.raises(AuthorityUnavailable):
        await world.provider.issue(world.issuer, ref, idempotency_key="k-mend-0001")
    named = [error.value.fields[0].field for error in (unknown, unregistered)]
    assert named == ["fields.pointOfSale", "credentials.certificate"]


def test_openssl_accepts_what_is_signed_and_no_change_of_it(certificate: dict[str, bytes], tmp_path: Path) -> None:
    signed = base64.b64decode(
        ticket_request(
            "wsfe", datetime(2026, 1, 15, tzinfo=UTC), 10, certificate["certificate"], certificate["privateKey"], None
        )
    )

    def verified(message: bytes) -> subprocess.CompletedProcess[bytes]:
        (tmp_path / "message").write_bytes(message)
        command = ["openssl", "cms", "-verify", "-noverify", "-inform", "DER", "-in", str(tmp_path / "message")]
        return subprocess.run(command, capture_output=True, check=False)

    good = verified(signed)
    assert good.returncode == 0, good.stderr
    assert b"<service>wsfe</service>" in good.stdout
    assert verified(signed.replace(b"wsfe", b"wsfx")).returncode != 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"tax_id": "20267565390"}, "taxId"),
        ({"regime": "5"}, "taxRegime"),
        ({"fields": {"pointOfSale": "0", "grossIncome": "1", "activityStart": "2019-03-01"}}, "fields.pointOfSale"),
        ({"fields": {"pointOfSale": "1", "grossIncome": "", "activityStart": "2019-03-01"}}, "fields.grossIncome"),
        ({"fields": {"pointOfSale": "1", "grossIncome": "1", "activityStart": "ayer"}}, "fields.activityStart"),
        ({"tax_id": "33693450239"}, "credentials.certificate"),
        ({"today": date(2035, 1, 1)}, "credentials.certificate"),
        ({"secrets": {}}, "credentials.certificate"),
        ({"key": b"no key"}, "credentials.privateKey"),
    ],
    ids=["cuit", "regime", "place", "income", "start", "another's", "expired", "none", "no key"],
)
def test_every_field_that_is_wrong_is_named(certificate: dict[str, bytes], changes: dict[str, Any], field: str) -> None:
    wanted = dict(changes)
    secrets = wanted.pop("secrets", certificate)
    if "key" in wanted:
        secrets = {**certificate, "privateKey": wanted.pop("key")}
    today = wanted.pop("today", date(2026, 1, 15))
    values: dict[str, Any] = {
        "tax_id": "20-26756539-3",
        "legal_name": "Panadería",
        "regime": "1",
        "address": Address(),
        "environment": Environment.TEST,
        "time_zone": "America/Argentina/Buenos_Aires",
        "fields": {"pointOfSale": "0003", "grossIncome": "1", "activityStart": "2019-03-01"},
        "secrets": secrets,
    }
    check = ArgentinaProvider(None, ArgentinaSettings()).check_profile  # type: ignore[arg-type]
    good = check(ProfileDraft(**{**values, "secrets": certificate}), date(2026, 1, 15))
    assert (good.tax_id, good.fields["pointOfSale"]) == (CUIT, "3")
    with pytest.raises(BadProfile) as wrong:
        check(ProfileDraft(**values | wanted), today)
    assert field in [item.field for item in wrong.value.fields]


def test_a_host_with_weak_keys_is_verified_all_the_same() -> None:
    context = weak_tls()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
