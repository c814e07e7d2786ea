"""Who issues: what a business has told about itself, and the certificates, keys and ranges it has been given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from fiscal.document import Address


class Environment(StrEnum):
    """TEST: the authority's own proving ground (homologación, habilitación, certificación)."""

    TEST = "TEST"
    PRODUCTION = "PRODUCTION"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field that this country asks for beyond the common ones: `fields.<name>` of the PUT's body, or
    `credentials.<name>` for a secret one, which is written and never read back. description: in English, for the API's
    documentation. is_file: binary, sent in base64."""

    name: str
    description: str
    required: bool = True
    secret: bool = False
    is_file: bool = False


@dataclass(frozen=True, slots=True)
class CertificateInfo:
    """What may be shown of a certificate. name: of the secret that holds it. fingerprint: SHA-256 in hexadecimal."""

    name: str
    subject: str
    serial_number: str
    fingerprint: str
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class NumberStock:
    """A run of numbers that an authority has given out: a CAF (Chile), a DIAN range (Colombia).

    series: as in `Numbering`. authorization: the resolution's number, shown. expires_on: its last good day, in the
    issuer's time zone. content: the CAF, the technical key.
    """

    series: str
    first: int
    last: int
    authorization: str = ""
    valid_from: date | None = None
    expires_on: date | None = None
    content: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class ProfileDraft:
    """A profile as it was sent, not yet checked. secrets: by FieldSpec.name, decoded where is_file; those not sent
    again are as they were. stock: what was sent under `numbering`, each with its fields as text (a file in base64)."""

    tax_id: str
    legal_name: str
    regime: str
    address: Address
    environment: Environment
    time_zone: str
    fields: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    stock: tuple[Mapping[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class CheckedProfile:
    """tax_id, fields: in the form they are kept in. certificates: what to show of the secrets. stock: to be added."""

    tax_id: str
    fields: Mapping[str, str]
    certificates: tuple[CertificateInfo, ...] = ()
    stock: tuple[NumberStock, ...] = ()


@dataclass(frozen=True, slots=True)
class IssuerProfile:
    """A checked profile with its secrets, in the hands of a provider for one call. Never log or keep it."""

    business_id: UUID
    tax_id: str
    legal_name: str
    trade_name: str
    regime: str
    address: Address
    environment: Environment
    time_zone: str
    fields: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    secrets: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}), repr=False)
