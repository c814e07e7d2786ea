"""What crosses to the workshop and back: everything that building, signing and reading need. No XML here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from fiscal.co.identity import Identity
from fiscal.document import Address, FiscalDocument
from fiscal.profile import NumberStock


@dataclass(frozen=True, slots=True)
class Signer:
    """A PKCS#12 file and its password."""

    pkcs12: bytes = field(repr=False)
    password: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Issuer:
    """company: a legal person, or else a natural one. responsibilities: joined by semicolons."""

    nit: Identity
    legal_name: str
    trade_name: str
    responsibilities: str
    address: Address
    company: bool


@dataclass(frozen=True, slots=True)
class Software:
    """What the DIAN knows of the software by which this business issues, and who made it."""

    id: str
    pin: str = field(repr=False)
    maker_name: str
    maker_company: str
    maker_software: str


@dataclass(frozen=True, slots=True)
class Policy:
    """The signature policy. sha256: of its PDF, in base64."""

    url: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Order:
    """One document to be built and signed. document_type: of `codes.FORMS`. stock: the range of the number, of notes
    None. environment: "1" production, "2" habilitación. register: the cash register's plate, of POS documents."""

    document: FiscalDocument
    document_type: str
    prefix: str
    number: int
    stock: NumberStock | None
    issuer: Issuer
    software: Software
    policy: Policy
    environment: str
    register: str
    signer: Signer

    @property
    def full_number(self) -> str:
        return f"{self.prefix}{self.number}"


@dataclass(frozen=True, slots=True)
class Built:
    """payload: the signed XML. key: its CUFE or CUDE."""

    payload: bytes = field(repr=False)
    key: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the DIAN's service. fields: of its body, in their order. id: of the message."""

    operation: str
    to: str
    fields: tuple[tuple[str, str], ...]
    id: str
    created: datetime
    seconds: int
    signer: Signer


@dataclass(frozen=True, slots=True)
class Answer:
    """What the DIAN said of a document. code: 00 validated, 66 unknown to it, 98 under way, 99 refused.

    rules: its messages, such as "Regla: FAD06, Rechazo: ...". receipt: the ApplicationResponse. track_id: of what is
    decided later. fault: the code of a SOAP fault, and then nothing else is set.
    """

    valid: bool = False
    code: str = ""
    rules: tuple[str, ...] = ()
    key: str = ""
    receipt: bytes | None = field(default=None, repr=False)
    track_id: str = ""
    fault: str = ""
