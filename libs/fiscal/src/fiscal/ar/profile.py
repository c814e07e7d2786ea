"""What a business in Argentina tells of itself, and whether it holds together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID
from kernel import FieldError

from fiscal.ar.codes import ISSUERS, condition, is_cuit
from fiscal.certificates import check_current, check_pair, describe, read_certificate, read_key
from fiscal.errors import BadProfile
from fiscal.profile import CertificateInfo, CheckedProfile, FieldSpec, ProfileDraft

PROFILE_FIELDS: Final = (
    FieldSpec("pointOfSale", "Punto de venta for web services, 1 to 99998, used by this business alone"),
    FieldSpec("grossIncome", "Ingresos Brutos: the number, or Exento; printed"),
    FieldSpec("activityStart", "Inicio de actividades, YYYY-MM-DD; printed"),
    FieldSpec("concept", "What is sold: PRODUCTS (default) or SERVICES", required=False),
    FieldSpec("certificate", "Certificate given by ARCA for WSFEv1 (PEM or DER)", secret=True, is_file=True),
    FieldSpec("privateKey", "Its private key (PEM or DER)", secret=True, is_file=True),
    FieldSpec("privateKeyPassword", "The key's password, where it has one", required=False, secret=True),
)


def check(draft: ProfileDraft, today: date) -> CheckedProfile:
    """Raises BadProfile."""
    wrong: list[FieldError] = []
    tax_id = "".join(character for character in draft.tax_id if character not in "-. ")
    if not is_cuit(tax_id):
        wrong.append(FieldError("taxId", "is no CUIT"))
    if condition(draft.regime) not in ISSUERS:
        wrong.append(FieldError("taxRegime", "must be 1 (Responsable Inscripto), 4 (Exento) or 6 (Monotributo)"))
    if draft.stock:
        wrong.append(FieldError("numbering", "must be empty: ARCA counts"))
    fields, badly = _fields(draft)
    certificates, unfit = _certificates(draft, tax_id, today)
    if wrong or badly or unfit:
        raise BadProfile([*wrong, *badly, *unfit])
    return CheckedProfile(tax_id, fields, certificates)


def _fields(draft: ProfileDraft) -> tuple[dict[str, str], list[FieldError]]:
    fields, wrong = {name: value.strip() for name, value in draft.fields.items()}, []
    place = fields.get("pointOfSale", "")
    if not (place.isascii() and place.isdigit() and len(place) <= 5 and 0 < int(place) < 99_999):
        wrong.append(FieldError("fields.pointOfSale", "must be a number from 1 to 99998"))
    else:
        fields["pointOfSale"] = str(int(place))
    if not fields.get("grossIncome"):
        wrong.append(FieldError("fields.grossIncome", "is required"))
    try:
        fields["activityStart"] = date.fromisoformat(fields.get("activityStart", "")).isoformat()
    except ValueError:
        wrong.append(FieldError("fields.activityStart", "must be a date such as 2020-03-01"))
    fields["concept"] = fields.get("concept") or "PRODUCTS"
    if fields["concept"] not in ("PRODUCTS", "SERVICES"):
        wrong.append(FieldError("fields.concept", "must be PRODUCTS or SERVICES"))
    return fields, wrong


def _certificates(
    draft: ProfileDraft, tax_id: str, today: date
) -> tuple[tuple[CertificateInfo, ...], list[FieldError]]:
    missing = [
        FieldError(f"credentials.{name}", "is required")
        for name in ("certificate", "privateKey")
        if not draft.secrets.get(name)
    ]
    if missing:
        return (), missing
    try:
        certificate = read_certificate(draft.secrets["certificate"], "credentials.certificate")
    except BadProfile as error:
        return (), list(error.fields)
    wrong: list[FieldError] = []

    def check(rule: Callable[[], object]) -> None:
        try:
            rule()
        except BadProfile as error:
            wrong.extend(error.fields)

    def pair() -> None:
        key = read_key(draft.secrets["privateKey"], draft.secrets.get("privateKeyPassword"), "credentials.privateKey")
        check_pair(certificate, key, "credentials.certificate")

    check(pair)
    check(lambda: check_current(certificate, today, "credentials.certificate"))
    if _cuit_of(certificate) != tax_id:
        wrong.append(FieldError("credentials.certificate", "is another CUIT's"))
    return (describe(certificate, "certificate"),), wrong


def _cuit_of(certificate: x509.Certificate) -> str:
    """Of the subject's serialNumber, such as CUIT 20267565393."""
    for attribute in certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER):
        value = str(attribute.value).strip()
        if value.upper().startswith("CUIT"):
            return value[4:].strip().replace("-", "")
    return ""
