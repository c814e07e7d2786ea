"""The behaviour every country shows, as one test class to inherit.

A country's test module subclasses FiscalContract and gives it a fixture `world`: a FiscalWorld whose authority is the
twin. It needs pytest with asyncio_mode = "auto".
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from kernel import new_id

from fiscal.document import DocumentKind
from fiscal.errors import AuthorityUnavailable, OutcomeUnknown
from fiscal.provider import CancelRequest, FiscalRef, NumberSource, Outcome, Prepared, State
from fiscal.testing.world import FiscalWorld

ACCEPTED = (State.ACCEPTED, State.ACCEPTED_WITH_NOTES)
KINDS = (DocumentKind.TICKET, DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE, DocumentKind.GLOBAL)


class FiscalContract:
    """Names tell the rule."""

    async def prepared(self, world: FiscalWorld, kind: DocumentKind = DocumentKind.INVOICE) -> FiscalRef:
        document = world.document(kind)
        prepared = await world.provider.prepare(world.issuer, document, await world.lease(document))
        return FiscalRef(kind, prepared)

    async def sent(self, world: FiscalWorld, ref: FiscalRef) -> Outcome:
        """Issued and decided."""
        outcome = await world.provider.issue(world.issuer, ref, idempotency_key=str(new_id()))
        return await self.decided(world, ref, outcome)

    async def decided(self, world: FiscalWorld, ref: FiscalRef, outcome: Outcome) -> Outcome:
        if outcome.state is not State.SUBMITTED:
            return outcome
        ref = FiscalRef(ref.kind, ref.prepared, outcome.fiscal_id, outcome.authority_ref)
        await world.decide(ref)
        return await world.provider.status(world.issuer, ref)

    @pytest.mark.parametrize("kind", KINDS)
    async def test_what_it_can_issue_is_accepted_and_printed(self, world: FiscalWorld, kind: DocumentKind) -> None:
        if kind not in world.provider.capabilities.kinds:
            return
        document = world.document(kind)
        prepared = await world.provider.prepare(world.issuer, document, await world.lease(document))
        ref = FiscalRef(kind, prepared)
        outcome = await self.sent(world, ref)
        assert outcome.state in ACCEPTED
        assert outcome.fiscal_id
        assert prepared.local_fiscal_id in (None, outcome.fiscal_id)
        assert await world.issued(ref) == 1
        printed = world.provider.printed(world.issuer, document, prepared, outcome)
        assert printed.title
        assert printed.code is not None

    async def test_preparing_is_pure(self, world: FiscalWorld) -> None:
        """The same bytes again, later and while nobody answers."""
        document = world.document(DocumentKind.INVOICE)
        lease = await world.lease(document)
        await world.down()
        try:
            first = await world.provider.prepare(world.issuer, document, lease)
            world.clock.advance(timedelta(hours=1))
            again = await world.provider.prepare(world.issuer, document, lease)
        finally:
            await world.up()
        assert first == again
        assert (first.series, first.number) == (lease.numbering.series, lease.number)

    async def test_secrets_are_not_in_what_is_shown_of_objects(self, world: FiscalWorld) -> None:
        ref = await self.prepared(world)
        shown = repr((world.issuer, ref))
        for secret in world.issuer.secrets.values():
            assert repr(secret) not in shown
        assert repr(ref.prepared.payload) not in shown

    async def test_an_answer_that_never_comes_is_asked_for(self, world: FiscalWorld) -> None:
        """Accepted there, unknown here: asking finds it, sending it again changes nothing."""
        ref = await self.prepared(world)
        await world.next_times_out_after_accepting()
        with pytest.raises(OutcomeUnknown):
            await world.provider.issue(world.issuer, ref, idempotency_key="k-timeout-1")
        outcome = await self.decided(world, ref, await world.provider.status(world.issuer, ref))
        assert outcome.state in ACCEPTED
        assert outcome.fiscal_id
        assert await world.issued(ref) == 1

    async def test_what_never_arrived_may_be_sent_again(self, world: FiscalWorld) -> None:
        ref = await self.prepared(world)
        assert (await world.provider.status(world.issuer, ref)).state is State.PREPARED
        assert (await self.sent(world, ref)).state in ACCEPTED
        assert await world.issued(ref) == 1

    async def test_a_duplicate_is_the_document_that_is_there(self, world: FiscalWorld) -> None:
        ref = await self.prepared(world)
        first = await self.sent(world, ref)
        again = await self.sent(world, ref)
        assert (again.state in ACCEPTED, again.fiscal_id) == (True, first.fiscal_id)
        assert await world.issued(ref) == 1

    async def test_a_rejection_says_why(self, world: FiscalWorld) -> None:
        ref = await self.prepared(world)
        await world.next_is_rejected()
        outcome = await self.sent(world, ref)
        assert (outcome.state, outcome.fiscal_id) == (State.REJECTED, None)
        assert outcome.messages
        assert all(message.code for message in outcome.messages)
        assert await world.issued(ref) == 0

    async def test_a_slow_authority_is_no_rejection(self, world: FiscalWorld) -> None:
        ref = await self.prepared(world)
        await world.next_is_slow()
        with pytest.raises(OutcomeUnknown):
            await world.provider.issue(world.issuer, ref, idempotency_key="k-slow-0001")

    async def test_while_it_is_down_nothing_is_unknown(self, world: FiscalWorld) -> None:
        ref = await self.prepared(world)
        await world.down()
        try:
            with pytest.raises(AuthorityUnavailable):
                await world.provider.issue(world.issuer, ref, idempotency_key="k-down-0001")
            with pytest.raises(AuthorityUnavailable):
                await world.provider.status(world.issuer, ref)
        finally:
            await world.up()
        assert (await self.sent(world, ref)).state in ACCEPTED

    async def test_the_authority_knows_the_last_number(self, world: FiscalWorld) -> None:
        if world.provider.capabilities.numbers is not NumberSource.AUTHORITY:
            return
        document = world.document(DocumentKind.INVOICE)
        lease = await world.lease(document)
        assert await world.provider.last_number(world.issuer, lease.numbering) == lease.number - 1
        prepared: Prepared = await world.provider.prepare(world.issuer, document, lease)
        await self.sent(world, FiscalRef(document.kind, prepared))
        assert await world.provider.last_number(world.issuer, lease.numbering) == lease.number

    async def test_canceling(self, world: FiscalWorld) -> None:
        """By the authority where it does that, once, however often it is asked; else there are credit notes."""
        capabilities = world.provider.capabilities
        if not capabilities.native_cancel:
            assert DocumentKind.CREDIT_NOTE in capabilities.kinds
            return
        ref = await self.prepared(world)
        accepted = await self.sent(world, ref)
        ref = FiscalRef(ref.kind, ref.prepared, accepted.fiscal_id, accepted.authority_ref)
        # The one that needs no substitution.
        request = CancelRequest(sorted(capabilities.motives)[1])
        for _ in range(2):
            outcome = await world.provider.cancel(world.issuer, ref, request)
            assert outcome.state in (State.CANCELED, State.CANCEL_PENDING)
            await world.decide(ref)
        assert (await world.provider.status(world.issuer, ref)).state is State.CANCELED
