"""What a Colombian business tells of itself: its NIT, certificate, software at the DIAN, and ranges of numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Final, TypeVar
from uuid import UUID

from cryptography import x509
from kernel import FieldError

from fiscal.certificates import check_current, describe, read_pkcs12
from fiscal.co import codes
from fiscal.co.identity import Identity, read_nit
from fiscal.errors import BadProfile
from fiscal.profile import CertificateInfo, CheckedProfile, FieldSpec, NumberStock, ProfileDraft

PROFILE_FIELDS: Final = (
    FieldSpec("certificate", "PKCS#12 file (.p12, .pfx) of the signing certificate", secret=True, is_file=True),
    FieldSpec("certificatePassword", "Its password", secret=True),
    FieldSpec("softwarePin", "The PIN of the software, as registered at the DIAN", secret=True),
    FieldSpec("softwareId", "The id (UUID) of the software at the DIAN"),
    FieldSpec("testSetId", "Of habilitación: the id (UUID) of the set of tests to be passed", required=False),
    FieldSpec("invoicePrefix", "Prefix of the range of invoices (01)", required=False),
    FieldSpec("posPrefix", "Prefix of the range of POS documents (20)", required=False),
    FieldSpec("creditNotePrefix", "Prefix of credit notes (91), of your own choice; NC", required=False),
    FieldSpec("adjustmentNotePrefix", "Prefix of adjustment notes (94), of your own choice; NA", required=False),
    FieldSpec("cashRegister", "The plate of the cash register, on POS documents; 1", required=False),
    FieldSpec("personType", "1 for a legal person, 2 for a natural one; by the NIT", required=False),
)

_Found = TypeVar("_Found")

_PREFIX: Final = re.compile(r"[A-Z0-9]{0,4}")
_RESOLUTION: Final = re.compile(r"[0-9]{1,20}")
_PIN: Final = re.compile(rb"[0-9A-Za-z]{3,32}")
_TECHNICAL_KEY: Final = re.compile(r"[0-9A-Za-z]{8,128}")
_MOST: Final = 10**12
# Fields of a profile that are prefixes, by the type of document that they begin, and what they are where nobody said.
PREFIXES: Final[Mapping[str, tuple[str, str]]] = {
    codes.INVOICE: ("invoicePrefix", ""),
    codes.POS: ("posPrefix", ""),
    codes.CREDIT_NOTE: ("creditNotePrefix", "NC"),
    codes.ADJUSTMENT_NOTE: ("adjustmentNotePrefix", "NA"),
}


def prefix_of(fields: Mapping[str, str], document_type: str) -> str:
    name, usual = PREFIXES[document_type]
    return fields.get(name) or usual


def series_of(fields: Mapping[str, str], document_type: str) -> str:
    return f"{document_type}-{prefix_of(fields, document_type)}"


def check_profile(draft: ProfileDraft, today: date) -> CheckedProfile:
    """Raises BadProfile naming every field that is wrong."""
    wrong: list[FieldError] = []
    nit = read_nit(draft.tax_id)
    if nit is None:
        wrong.append(FieldError("taxId", "must be a NIT with its check digit"))
    _check_regime(draft.regime, wrong)
    _check_address(draft, wrong)
    fields = _fields(draft.fields, wrong)
    if not _PIN.fullmatch(draft.secrets.get("softwarePin", b"")):
        wrong.append(FieldError("credentials.softwarePin", "must be the PIN registered at the DIAN"))
    shown = _collect(wrong, partial(_certificate, draft, nit, today))
    stock = []
    for index, item in enumerate(draft.stock):
        found = _collect(wrong, partial(_range, index, item, fields, today))
        if found is not None:
            stock.append(found)
    if wrong or nit is None or shown is None:
        raise BadProfile(wrong)
    return CheckedProfile(nit.shown, fields, (shown,), tuple(stock))


def _collect(wrong: list[FieldError], work: Callable[[], _Found]) -> _Found | None:
    try:
        return work()
    except BadProfile as error:
        wrong.extend(error.fields)
        return None


def _check_regime(regime: str, wrong: list[FieldError]) -> None:
    if regime and not set(regime.split(";")) <= codes.RESPONSIBILITIES:
        known = ", ".join(sorted(codes.RESPONSIBILITIES))
        wrong.append(FieldError("taxRegime", f"must be responsibilities of the DIAN joined by semicolons: {known}"))


def _check_address(draft: ProfileDraft, wrong: list[FieldError]) -> None:
    address = draft.address
    if not re.fullmatch(r"[0-9]{5}", address.city_code):
        wrong.append(FieldError("address.cityCode", "must be DANE's code of the municipality, five digits"))
    if address.postal_code and not re.fullmatch(r"[0-9]{6}", address.postal_code):
        wrong.append(FieldError("address.postalCode", "must have six digits"))
    wrong.extend(
        FieldError(f"address.{name}", "is required")
        for name, value in (("street", address.street), ("city", address.city), ("state", address.state))
        if not value
    )


def _fields(sent: Mapping[str, str], wrong: list[FieldError]) -> dict[str, str]:
    kept = {name: value.strip() for name, value in sent.items() if value.strip()}
    for name, required in (("softwareId", True), ("testSetId", False)):
        value = kept.get(name, "")
        try:
            if value or required:
                kept[name] = str(UUID(value))
        except ValueError:
            wrong.append(FieldError(f"fields.{name}", "must be a UUID"))
    for name, _ in PREFIXES.values():
        if name in kept:
            kept[name] = kept[name].upper()
            if not _PREFIX.fullmatch(kept[name]):
                wrong.append(FieldError(f"fields.{name}", "must have at most four letters or digits"))
    if prefix_of(kept, codes.CREDIT_NOTE) == prefix_of(kept, codes.ADJUSTMENT_NOTE):
        wrong.append(FieldError("fields.adjustmentNotePrefix", "must differ from that of credit notes"))
    if kept.get("personType", "1") not in ("1", "2"):
        wrong.append(FieldError("fields.personType", "must be 1 or 2"))
    return kept


def _certificate(draft: ProfileDraft, nit: Identity | None, today: date) -> CertificateInfo:
    field = "credentials.certificate"
    content = draft.secrets.get("certificate")
    if not content:
        raise BadProfile.field(field, "is required")
    certificate, _ = read_pkcs12(content, draft.secrets.get("certificatePassword"), field)
    check_current(certificate, today, field)
    if nit is not None and not names(certificate, nit):
        raise BadProfile.field(field, "does not name this NIT in its subject")
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        usage = None
    if usage is not None and not usage.digital_signature:
        raise BadProfile.field(field, "may not be used for digital signatures")
    return describe(certificate, "certificate")


def names(certificate: x509.Certificate, nit: Identity) -> bool:
    """Whether the NIT stands in the subject, with or without its check digit. Colombian authorities put it into
    different attributes (serialNumber, organizationIdentifier, 1.3.6.1.4.1.23267.2.3)."""
    wanted = {nit.number, nit.number + nit.digit}
    for attribute in certificate.subject:
        value = attribute.value if isinstance(attribute.value, str) else attribute.value.decode("utf-8", "ignore")
        if wanted & set(re.findall(r"[0-9]+", re.sub(r"(?<=[0-9])[.\-](?=[0-9])", "", value))):
            return True
    return False


def _range(index: int, item: Mapping[str, str], fields: Mapping[str, str], today: date) -> NumberStock:
    """documentType (01 or 20), from, to, resolution, validFrom, validTo, and of invoices the technicalKey. prefix: that
    of the profile, where it is said at all."""

    def bad(message: str) -> BadProfile:
        return BadProfile.field(f"numbering.{index}", message)

    document_type = item.get("documentType", "")
    if document_type not in (codes.INVOICE, codes.POS):
        raise bad("documentType must be 01 (invoices) or 20 (POS documents)")
    prefix = prefix_of(fields, document_type)
    if item.get("prefix", prefix).upper() != prefix:
        raise bad(f"prefix must be that of fields.{PREFIXES[document_type][0]}")
    first, last = _whole(item.get("from", "")), _whole(item.get("to", ""))
    if first is None or last is None or not 0 < first <= last < _MOST:
        raise bad("from and to must be the first and last number of the range")
    resolution = item.get("resolution", "")
    if not _RESOLUTION.fullmatch(resolution):
        raise bad("resolution must be the number of the DIAN's resolution")
    since, until = _day(item.get("validFrom", "")), _day(item.get("validTo", ""))
    if since is None or until is None or since > until:
        raise bad("validFrom and validTo must be days, YYYY-MM-DD")
    if until < today:
        raise bad(f"expired on {until.isoformat()}")
    key = item.get("technicalKey", "")
    if (document_type == codes.INVOICE or key) and not _TECHNICAL_KEY.fullmatch(key):
        raise bad("technicalKey must be the range's technical key")
    return NumberStock(series_of(fields, document_type), first, last, resolution, since, until, key.encode())


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,12}", text) else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
