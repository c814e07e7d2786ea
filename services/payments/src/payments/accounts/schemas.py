"""Payment accounts as JSON. Credentials go in and never come out."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from chassis.http.schemas import RequestModel, ResponseModel, UtcDatetime
from psp.accounts import SHAPES
from pydantic import Field, StringConstraints
from pydantic.alias_generators import to_camel

from payments.accounts.models import Account
from payments.accounts.providers import AccountProviders

_Name = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[a-z][A-Za-z]*$")]
_Value = Annotated[str, StringConstraints(min_length=1, max_length=8000)]


class Environment(StrEnum):
    """LIVE: its money is real, and a payment in test mode is never taken for one."""

    LIVE = "LIVE"
    TEST = "TEST"


class Source(StrEnum):
    PLATFORM = "PLATFORM"
    OWN = "OWN"


class Verification(StrEnum):
    """UNVERIFIED: the provider could not be asked; it is asked again. REFUSED: it was, later, and said no."""

    VERIFIED = "VERIFIED"
    UNVERIFIED = "UNVERIFIED"
    REFUSED = "REFUSED"


class AccountPut(RequestModel):
    """credentials: apiKey, webhookPublicKey (Conekta); accessToken, webhookSecret, userId, externalPosId (Mercado
    Pago); apiKey, webhookSecret, receiverId (Khipu); apiKey, apiLogin, merchantId, accountId (PayU). same_account:
    these are other keys of the account that is here, so that payments under way are read with them too; where the
    provider's number of the account is among the credentials it tells by itself."""

    environment: Environment
    credentials: Annotated[
        dict[_Name, _Value], Field(min_length=1, max_length=10, examples=[{"apiKey": "key_of_the_shop"}])
    ]
    same_account: bool = False


class CredentialView(ResponseModel):
    """last_four: null where it would give too much away."""

    is_set: bool
    last_four: str | None


class AccountView(ResponseModel):
    """source: whose account new payments are made with; everything after it is null for the platform's.

    webhook_url: where the provider is to send its notifications. They are taken only with a secret or key to verify
    them; without one what happens is learnt by asking the provider."""

    business_id: UUID
    provider: str
    source: Source
    environment: Environment | None = None
    credentials: dict[str, CredentialView] | None = None
    webhook_url: str | None = None
    verification: Verification | None = None
    checked_at: UtcDatetime | None = None
    created_at: UtcDatetime | None = None
    updated_at: UtcDatetime | None = None


def view(business_id: UUID, provider: str, account: Account | None, providers: AccountProviders) -> AccountView:
    if account is None:
        return AccountView(business_id=business_id, provider=provider, source=Source.PLATFORM)
    shown = account.shown
    return AccountView(
        business_id=business_id,
        provider=provider,
        source=Source.OWN,
        environment=Environment(account.environment),
        credentials={
            to_camel(field.name): CredentialView(is_set=field.name in shown, last_four=shown.get(field.name) or None)
            for field in SHAPES[provider].fields
        },
        webhook_url=providers.webhook_url(provider, account.key),
        verification=Verification(account.verification),
        checked_at=account.checked_at,
        created_at=account.created_at,
        updated_at=account.updated_at,
    )
