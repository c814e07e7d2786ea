"""Who issues in Mexico: RFC, regime, CSD, and how its sales are put together."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from cryptography import x509
from kernel import FieldError
from stdnum.exceptions import ValidationError
from stdnum.mx import rfc

from fiscal import certificates
from fiscal.document import Periodicity
from fiscal.errors import BadProfile
from fiscal.mx import catalogs
from fiscal.profile import CertificateInfo, CheckedProfile, FieldSpec, ProfileDraft

# Where SAT puts the RFC: "EKU9003173C9 / VADA800927DJ3", the second of the legal representative.
_UNIQUE_IDENTIFIER: Final = x509.ObjectIdentifier("2.5.4.45")

PROFILE_FIELDS: Final = (
    FieldSpec("certificate", "The CSD's .cer file", secret=True, is_file=True),
    FieldSpec("key", "The CSD's .key file", secret=True, is_file=True),
    FieldSpec("keyPassword", "Password of the .key file", secret=True),
    FieldSpec("productCode", "c_ClaveProdServ of products; 01010101 without it", required=False),
    FieldSpec("unitCode", "c_ClaveUnidad of products; H87 without it", required=False),
    FieldSpec("globalPeriodicity", "DAILY, WEEKLY, FORTNIGHTLY or MONTHLY global invoices", required=False),
    FieldSpec("zeroRate", "What a rate of zero is: TASA_0 or EXENTO; TASA_0 without it", required=False),
)
_DEFAULTS: Final[Mapping[str, str]] = {
    "productCode": catalogs.GENERAL_PRODUCT,
    "unitCode": catalogs.PIECE,
    "globalPeriodicity": Periodicity.DAILY.value,
    "zeroRate": "TASA_0",
}
_FORMS: Final[Mapping[str, tuple[str, str]]] = {
    "productCode": (r"\d{8}", "must be eight digits of c_ClaveProdServ"),
    "unitCode": (r"[A-Z0-9]{2,3}", "must be a code of c_ClaveUnidad"),
    "globalPeriodicity": ("|".join(Periodicity), f"must be one of {', '.join(Periodicity)}"),
    "zeroRate": ("TASA_0|EXENTO", "must be TASA_0 or EXENTO"),
}


def check(draft: ProfileDraft, today: date) -> CheckedProfile:
    """Raises BadProfile for all that is wrong at once."""
    wrong: list[FieldError] = []

    def collected(work: Callable[[], None]) -> None:
        try:
            work()
        except BadProfile as error:
            wrong.extend(error.fields)

    tax_id = draft.tax_id.strip().upper()
    fields = {name: draft.fields.get(name, "").strip() or default for name, default in _DEFAULTS.items()}
    shown: list[CertificateInfo] = []
    collected(lambda: _check_rfc(tax_id))
    collected(lambda: _check_words(draft))
    for name, (form, message) in _FORMS.items():
        if not re.fullmatch(form, fields[name], re.ASCII):
            wrong.append(FieldError(f"fields.{name}", message))
    collected(lambda: shown.append(_check_csd(draft, tax_id, today)))
    if draft.stock:
        wrong.append(FieldError("numbering.0", "Mexico gives out no numbers"))
    if wrong:
        raise BadProfile(wrong)
    return CheckedProfile(tax_id, fields, tuple(shown))


def _check_rfc(tax_id: str) -> None:
    try:
        if not tax_id.isascii() and "Ñ" not in tax_id:
            raise ValidationError
        rfc.validate(tax_id, validate_check_digits=True)
    except ValidationError:
        raise BadProfile.field("taxId", "is no RFC of an issuer") from None


def _check_words(draft: ProfileDraft) -> None:
    wrong = []
    if draft.regime not in catalogs.REGIMES:
        wrong.append(FieldError("taxRegime", "must be a code of c_RegimenFiscal, such as 601"))
    if not re.fullmatch(r"\d{5}", draft.address.postal_code, re.ASCII):
        wrong.append(FieldError("address.postalCode", "must be the five digits of the place of issue"))
    if not draft.legal_name.strip() or "|" in draft.legal_name or len(draft.legal_name) > 300:
        wrong.append(FieldError("legalName", "must be the name as registered with SAT, without the type of company"))
    if wrong:
        raise BadProfile(wrong)


def _check_csd(draft: ProfileDraft, tax_id: str, today: date) -> CertificateInfo:
    missing = [name for name in ("certificate", "key", "keyPassword") if not draft.secrets.get(name)]
    if missing:
        raise BadProfile([FieldError(f"credentials.{name}", "is required") for name in missing])
    field = "credentials.certificate"
    certificate = certificates.read_certificate(draft.secrets["certificate"], field)
    key = certificates.read_key(draft.secrets["key"], draft.secrets["keyPassword"], "credentials.key")
    certificates.check_pair(certificate, key, field)
    certificates.check_current(certificate, today, field)
    if _rfc_of(certificate) != tax_id:
        raise BadProfile.field(field, "is of another RFC")
    if not re.fullmatch(r"(3\d){20}", f"{certificate.serial_number:x}"):
        raise BadProfile.field(field, "has no number of twenty digits: it is none of SAT's")
    if _is_personal(certificate):
        raise BadProfile.field(field, "is an e.firma, and must be a CSD (certificado de sello digital)")
    return certificates.describe(certificate, "certificate")


def _rfc_of(certificate: x509.Certificate) -> str:
    found = certificate.subject.get_attributes_for_oid(_UNIQUE_IDENTIFIER)
    value = found[0].value if found else ""
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    return text.split("/")[0].strip().upper()


def _is_personal(certificate: x509.Certificate) -> bool:
    """An e.firma also encrypts and agrees on keys; a CSD only signs."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return usage.data_encipherment or usage.key_agreement
