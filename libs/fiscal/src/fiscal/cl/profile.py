"""What a business tells to issue in Chile, and the check of it: certificate, resolution, CAFs."""

from __future__ import annotations

import base64
import binascii
import re
from calendar import monthrange
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID
from kernel import FieldError

from fiscal.certificates import check_current, check_pair, describe, read_pkcs12
from fiscal.cl import caf as cafs
from fiscal.cl import kinds, rut
from fiscal.cl.settings import ChileSettings
from fiscal.errors import BadProfile
from fiscal.profile import CertificateInfo, CheckedProfile, Environment, FieldSpec, NumberStock, ProfileDraft

PROFILE_FIELDS: Final = (
    FieldSpec("certificate", "The digital certificate of who signs, with its key (PKCS#12)", secret=True, is_file=True),
    FieldSpec("certificatePassword", "Password of the certificate file", secret=True),
    FieldSpec("activity", "Giro, as registered with SII"),
    FieldSpec("activityCode", "Acteco: SII's six digits of the economic activity"),
    FieldSpec("resolutionDate", "Date of SII's resolution, YYYY-MM-DD; in certification that of its invitation"),
    FieldSpec("resolutionNumber", "Number of SII's resolution; 0 in certification"),
    FieldSpec("office", "SII's regional office as printed: S.I.I. - <office>"),
    FieldSpec("branchCode", "SII's code of the branch", required=False),
    FieldSpec("senderTaxId", "RUT of who signs, where the certificate does not hold it", required=False),
)
# Chilean certificates hold the RUT of their person in an otherName of this type.
_RUT_OID: Final = x509.ObjectIdentifier("1.3.6.1.4.1.8321.1")
_RUT: Final = re.compile(r"[0-9]{1,3}(?:\.?[0-9]{3}){1,2}-[0-9Kk]")
_PROVING_GROUND: Final = "100"


def check(settings: ChileSettings, draft: ProfileDraft, today: date) -> CheckedProfile:
    """Raises BadProfile naming every field that is wrong."""
    wrong: list[FieldError] = []
    tax_id = rut.parse(draft.tax_id)
    if tax_id is None:
        wrong.append(FieldError("taxId", "is no RUT, or its check digit is another"))
    if not draft.address.street:
        wrong.append(FieldError("address.street", "is required"))
    if not (draft.address.district or draft.address.city):
        wrong.append(FieldError("address.district", "is required: the comuna"))
    wrong += _fields(draft.fields)
    certificate: CertificateInfo | None = None
    sender = ""
    try:
        certificate, sender = _certificate(draft, today)
    except BadProfile as error:
        wrong += error.fields
    stock: list[NumberStock] = []
    for index, sent in enumerate(draft.stock):
        try:
            stock.append(_stock(settings, draft, tax_id, sent, today))
        except cafs.BadCaf as error:
            wrong.append(FieldError(f"numbering.{index}", str(error)))
    if wrong or certificate is None or tax_id is None:
        raise BadProfile(wrong)
    return CheckedProfile(tax_id, {**draft.fields, "senderTaxId": sender}, (certificate,), tuple(stock))


def _fields(fields: Mapping[str, str]) -> list[FieldError]:
    wrong = []
    if not re.fullmatch(r"[0-9]{6}", fields.get("activityCode", "")):
        wrong.append(FieldError("fields.activityCode", "must be six digits"))
    if not re.fullmatch(r"[0-9]{1,6}", fields.get("resolutionNumber", "")):
        wrong.append(FieldError("fields.resolutionNumber", "must be a number of at most six digits"))
    if fields.get("branchCode") and not re.fullmatch(r"[1-9][0-9]{0,8}", fields["branchCode"]):
        wrong.append(FieldError("fields.branchCode", "must be a number of at most nine digits"))
    day = fields.get("resolutionDate", "")
    with suppress(ValueError):
        if len(day) == 10 and date.fromisoformat(day):
            day = ""
    if day:
        wrong.append(FieldError("fields.resolutionDate", "must be a date: YYYY-MM-DD"))
    return wrong


def _certificate(draft: ProfileDraft, today: date) -> tuple[CertificateInfo, str]:
    """It is a person's, whom the company has authorized at SII: its RUT is not the company's."""
    field = "credentials.certificate"
    missing = [
        FieldError(f"credentials.{spec.name}", "is required")
        for spec in PROFILE_FIELDS
        if spec.secret and not draft.secrets.get(spec.name)
    ]
    if missing:
        raise BadProfile(missing)
    certificate, key = read_pkcs12(draft.secrets["certificate"], draft.secrets["certificatePassword"], field)
    check_pair(certificate, key, field)
    check_current(certificate, today, field)
    held, told = rut_of(certificate), rut.parse(draft.fields.get("senderTaxId", ""))
    if draft.fields.get("senderTaxId") and told is None:
        raise BadProfile.field("fields.senderTaxId", "is no RUT, or its check digit is another")
    if held and told and held != told:
        raise BadProfile.field("fields.senderTaxId", "is not the RUT in the certificate")
    if not held and not told:
        raise BadProfile.field(field, "holds no RUT: tell it in fields.senderTaxId")
    return describe(certificate, "certificate"), held or told or ""


def rut_of(certificate: x509.Certificate) -> str | None:
    """Of the person it was given to."""
    found: list[str] = []
    with suppress(x509.ExtensionNotFound, ValueError):
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        found += [
            name.value.decode("latin-1")
            for name in names
            if isinstance(name, x509.OtherName) and name.type_id == _RUT_OID
        ]
    found += [str(part.value) for part in certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)]
    for text in found:
        match = _RUT.search(text)
        if match and (parsed := rut.parse(match.group())):
            return parsed
    return None


def _stock(
    settings: ChileSettings, draft: ProfileDraft, tax_id: str | None, sent: Mapping[str, str], today: date
) -> NumberStock:
    content = sent.get("caf", "")
    try:
        file = (
            content.encode("latin-1") if content.lstrip().startswith("<") else base64.b64decode(content, validate=True)
        )
    except (ValueError, binascii.Error):
        raise cafs.BadCaf("needs caf: the file in base64") from None
    if not file:
        raise cafs.BadCaf("needs caf: the file in base64")
    caf = cafs.parse(file)
    if caf.document_type not in kinds.TITLES:
        raise cafs.BadCaf("is of a type of document that is not issued here")
    if tax_id is not None and caf.issuer != tax_id:
        raise cafs.BadCaf("is of another RUT")
    if draft.environment is Environment.PRODUCTION and caf.key_id == _PROVING_GROUND:
        raise cafs.BadCaf("is of SII's certification")
    expires_on = None
    if caf.document_type in settings.caf_expiring_types:
        expires_on = _months_later(caf.authorized_on, settings.caf_months)
        if expires_on < today:
            raise cafs.BadCaf(f"expired on {expires_on.isoformat()}")
    return NumberStock(
        series=caf.document_type,
        first=caf.first,
        last=caf.last,
        authorization=f"CAF {caf.authorized_on.isoformat()}",
        valid_from=caf.authorized_on,
        expires_on=expires_on,
        content=file,
    )


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
