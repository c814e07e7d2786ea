"""Who issues, in SII's words, with the certificate that signs: what crosses to the workshop."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from fiscal.profile import Environment, IssuerProfile


@dataclass(frozen=True, slots=True)
class Emitter:
    """tax_id, sender: dashed RUT of the company, and of the person whose certificate it is. pkcs12, password: their
    certificate and key."""

    tax_id: str
    sender: str
    legal_name: str
    activity: str
    activity_code: str
    branch_code: str
    street: str
    commune: str
    city: str
    resolution_date: str
    resolution_number: str
    environment: Environment
    pkcs12: bytes = field(repr=False)
    password: bytes = field(repr=False)

    @classmethod
    def of(cls, issuer: IssuerProfile) -> Emitter:
        fields, address = issuer.fields, issuer.address
        return cls(
            tax_id=issuer.tax_id,
            sender=fields["senderTaxId"],
            legal_name=issuer.legal_name,
            activity=fields["activity"],
            activity_code=fields["activityCode"],
            branch_code=fields.get("branchCode", ""),
            street=address.street,
            commune=address.district or address.city,
            city=address.city,
            resolution_date=fields["resolutionDate"],
            resolution_number=fields["resolutionNumber"],
            environment=issuer.environment,
            pkcs12=issuer.secrets["certificate"],
            password=issuer.secrets["certificatePassword"],
        )

    @property
    def fingerprint(self) -> str:
        """Of the certificate as it was given: another one gets a token of its own."""
        return sha256(self.pkcs12).hexdigest()[:16]
