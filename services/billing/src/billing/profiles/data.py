"""The encrypted parts of a profile, opened."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from chassis.crypto import FieldCipher
from fiscal.document import Address
from fiscal.profile import CertificateInfo, Environment, IssuerProfile
from pydantic import BaseModel, ConfigDict

from billing.profiles.models import FiscalProfile, place


class Certificate(BaseModel):
    """What may be shown of a certificate; see `fiscal.profile.CertificateInfo`."""

    model_config = ConfigDict(frozen=True)

    name: str
    subject: str
    serial_number: str
    fingerprint: str
    not_before: datetime
    not_after: datetime

    @classmethod
    def of(cls, info: CertificateInfo) -> Certificate:
        return cls(
            name=info.name,
            subject=info.subject,
            serial_number=info.serial_number,
            fingerprint=info.fingerprint,
            not_before=info.not_before,
            not_after=info.not_after,
        )


class ProfileData(BaseModel):
    """What may be shown to the owner."""

    model_config = ConfigDict(frozen=True)

    tax_id: str
    legal_name: str
    trade_name: str
    regime: str
    address: Address
    time_zone: str
    fields: dict[str, str]
    certificates: tuple[Certificate, ...]


class ProfileVault:
    """Seals and opens. secrets live in the hands of one call, never in a cache."""

    def __init__(self, cipher: FieldCipher) -> None:
        self._cipher = cipher

    def seal_data(self, business_id: UUID, data: ProfileData) -> str:
        return self._cipher.encrypt(data.model_dump_json(), context=place("data", business_id))

    def seal_credentials(self, business_id: UUID, secrets: Mapping[str, bytes]) -> str:
        encoded = {name: base64.b64encode(value).decode() for name, value in secrets.items()}
        return self._cipher.encrypt(json.dumps(encoded), context=place("credentials", business_id))

    def data(self, profile: FiscalProfile) -> ProfileData:
        plain = self._cipher.decrypt(profile.data, context=place("data", profile.business_id))
        return ProfileData.model_validate_json(plain)

    def credentials(self, profile: FiscalProfile) -> dict[str, bytes]:
        plain = self._cipher.decrypt(profile.credentials, context=place("credentials", profile.business_id))
        return {name: base64.b64decode(value) for name, value in json.loads(plain).items()}

    def issuer(self, profile: FiscalProfile) -> IssuerProfile:
        data = self.data(profile)
        return IssuerProfile(
            business_id=profile.business_id,
            tax_id=data.tax_id,
            legal_name=data.legal_name,
            trade_name=data.trade_name,
            regime=data.regime,
            address=data.address,
            environment=Environment(profile.environment),
            time_zone=data.time_zone,
            fields=data.fields,
            secrets=self.credentials(profile),
        )

    def seal(self, value: bytes, where: str) -> str:
        return self._cipher.encrypt(value, context=where)

    def open(self, value: str, where: str) -> bytes:
        return self._cipher.decrypt_bytes(value, context=where)
