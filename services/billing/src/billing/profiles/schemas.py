"""Fiscal profiles in JSON."""

from __future__ import annotations

import base64
import binascii
from datetime import date
from typing import Annotated
from uuid import UUID

from chassis.http.schemas import RequestModel, ResponseModel, Text, UtcDatetime
from fiscal.document import Address
from fiscal.errors import BadProfile
from fiscal.profile import Environment, FieldSpec
from kernel import Country, FieldError
from pydantic import Field, StringConstraints

from billing.numbering.models import NumberRange
from billing.profiles.data import ProfileData
from billing.profiles.models import FiscalProfile

_PRINTABLE = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9]{0,39}$")]
Value = Annotated[str, StringConstraints(max_length=500, pattern=_PRINTABLE)]
# Certificates, keys and CAFs in base64 or PEM: some kilobytes each.
Secret = Annotated[str, StringConstraints(max_length=65_536, pattern=r"^[^\x00]*$")]
Short = Annotated[str, StringConstraints(max_length=64, pattern=_PRINTABLE)]


class AddressIn(RequestModel):
    """city_code: the authority's own, such as DANE's five digits. country_code: ISO 3166-1, or empty."""

    street: Value = ""
    district: Value = ""
    city: Value = ""
    city_code: Short = ""
    state: Value = ""
    postal_code: Short = ""
    country_code: Short = ""

    def address(self) -> Address:
        return Address.model_validate(self.model_dump())


class ProfilePut(RequestModel):
    """The whole profile. credentials: by name; those left out stay as they are, and none is ever given back. Files
    are in base64 (certificates also in PEM). numbering: ranges or CAF files to be added; those that are there stay.

    Which fields, credentials and numbering a country wants is in the README of billing.
    """

    tax_id: Short
    legal_name: Text
    trade_name: Value = ""
    tax_regime: Short = ""
    address: AddressIn = AddressIn()
    environment: Environment = Environment.TEST
    automatic_issue: bool = False
    fields: dict[Name, Value] = Field(default_factory=dict, max_length=40)
    credentials: dict[Name, Secret] = Field(default_factory=dict, max_length=20, repr=False)
    numbering: list[dict[Name, Secret]] = Field(default_factory=list, max_length=50, repr=False)


class CertificateOut(ResponseModel):
    """fingerprint: SHA-256 of the certificate."""

    name: str
    subject: str
    serial_number: str
    fingerprint: str
    not_before: UtcDatetime
    not_after: UtcDatetime


class RangeOut(ResponseModel):
    """left: numbers that no document has."""

    series: str
    first: int
    last: int
    left: int
    authorization: str
    valid_from: date | None
    expires_on: date | None


class AddressOut(ResponseModel):
    street: str
    district: str
    city: str
    city_code: str
    state: str
    postal_code: str
    country_code: str


class ProfileOut(ResponseModel):
    """credentials: the names of those that are set."""

    business_id: UUID
    country: Country
    tax_id: str
    legal_name: str
    trade_name: str
    tax_regime: str
    address: AddressOut
    environment: Environment
    automatic_issue: bool
    fields: dict[str, str]
    credentials: list[str]
    certificates: list[CertificateOut]
    numbering: list[RangeOut]
    created_at: UtcDatetime
    updated_at: UtcDatetime


def profile_out(
    profile: FiscalProfile, data: ProfileData, secrets: list[str], ranges: list[tuple[NumberRange, int]]
) -> ProfileOut:
    return ProfileOut(
        business_id=profile.business_id,
        country=Country(profile.country),
        tax_id=data.tax_id,
        legal_name=data.legal_name,
        trade_name=data.trade_name,
        tax_regime=data.regime,
        address=AddressOut.model_validate(data.address.model_dump()),
        environment=Environment(profile.environment),
        automatic_issue=profile.automatic_issue,
        fields=data.fields,
        credentials=secrets,
        certificates=[CertificateOut.model_validate(item.model_dump()) for item in data.certificates],
        numbering=[
            RangeOut(
                series=row.series.partition(":")[2],
                first=row.first,
                last=row.last,
                left=left,
                authorization=row.authority_authorization,
                valid_from=row.valid_from,
                expires_on=row.expires_on,
            )
            for row, left in ranges
        ],
        created_at=profile.created_at,
        updated_at=profile.updated_at,
    )


def decoded(body: ProfilePut, specs: tuple[FieldSpec, ...]) -> dict[str, bytes]:
    """The credentials that were sent, as bytes. Raises BadProfile for what is unknown or unreadable."""
    known = {spec.name: spec for spec in specs}
    wrong, found = [], {}
    for name, value in body.credentials.items():
        spec = known.get(name)
        if spec is None or not spec.secret:
            wrong.append(FieldError(f"credentials.{name}", "is not one of this country's"))
            continue
        try:
            found[name] = _file(value) if spec.is_file else value.encode()
        except (ValueError, binascii.Error):
            wrong.append(FieldError(f"credentials.{name}", "must be base64"))
    foreign = [name for name in body.fields if name not in known or known[name].secret]
    missing = [name for name, spec in known.items() if spec.required and not spec.secret and not body.fields.get(name)]
    wrong += [FieldError(f"fields.{name}", "is not one of this country's") for name in foreign]
    wrong += [FieldError(f"fields.{name}", "is required") for name in missing]
    if wrong:
        raise BadProfile(wrong)
    return found


def _file(value: str) -> bytes:
    if value.lstrip().startswith("-----BEGIN"):
        return value.encode()
    return base64.b64decode("".join(value.split()), validate=True)
