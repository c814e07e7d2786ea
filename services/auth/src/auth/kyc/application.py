"""A form as sent, checked as a whole: what is asked for, with which number and which files. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kernel import Country, FieldError, InvalidInput

from auth.businesses.tax_ids import normalize_tax_id
from auth.kyc import errors
from auth.kyc.documents import (
    IDENTITY_DOCUMENTS,
    DocumentFile,
    allowed_documents,
    content_type_of,
    normalize_number,
    required_documents,
)
from auth.kyc.schemas import SubmissionForm
from auth.kyc.status import DocumentName, DocumentType
from auth.users.schemas import KycLevel


@dataclass(frozen=True, slots=True)
class Application:
    """document_type: None at level 2. number: the document's at level 1, the tax id at level 2, in its one form."""

    level: int
    country: Country
    document_type: DocumentType | None
    number: str
    files: Sequence[DocumentFile]

    @property
    def names(self) -> list[str]:
        return [file.name.value for file in self.files]


def check(form: SubmissionForm, files: Mapping[str, bytes]) -> Application:
    """Raises InvalidInput and UnsupportedMedia, naming every field that is wrong in its way."""
    if form.level is KycLevel.LEVEL_1:
        return _identity(form, files)
    return _tax(form, files)


def _identity(form: SubmissionForm, files: Mapping[str, bytes]) -> Application:
    _refuse(form, "tax_id", "taxId")
    if form.document_type is None:
        raise InvalidInput.field("documentType", "is needed for LEVEL_1")
    if form.document_number is None:
        raise InvalidInput.field("documentNumber", "is needed for LEVEL_1")
    if form.document_type not in IDENTITY_DOCUMENTS[form.country]:
        raise InvalidInput.field("documentType", f"is not an identity document of {form.country.value}")
    try:
        number = normalize_number(form.document_number, form.document_type)
    except ValueError as error:
        raise InvalidInput.field("documentNumber", str(error)) from None
    return Application(1, form.country, form.document_type, number, _documents(files, 1, form.document_type))


def _tax(form: SubmissionForm, files: Mapping[str, bytes]) -> Application:
    _refuse(form, "document_type", "documentType")
    _refuse(form, "document_number", "documentNumber")
    if form.tax_id is None:
        raise InvalidInput.field("taxId", "is needed for LEVEL_2")
    try:
        number = normalize_tax_id(form.tax_id, form.country)
    except ValueError as error:
        raise InvalidInput.field("taxId", str(error)) from None
    return Application(2, form.country, None, number, _documents(files, 2, None))


def _refuse(form: SubmissionForm, attribute: str, field: str) -> None:
    if getattr(form, attribute) is not None:
        raise InvalidInput.field(field, f"does not belong to {form.level.value}")


def _documents(files: Mapping[str, bytes], level: int, kind: DocumentType | None) -> list[DocumentFile]:
    allowed = {name.value for name in allowed_documents(level)}
    wrong = [FieldError(name, f"does not belong to LEVEL_{level}") for name in files if name not in allowed]
    wrong += [
        FieldError(name.value, "is needed")
        for name in sorted(required_documents(level, kind), reverse=True)
        if name.value not in files
    ]
    if wrong:
        raise InvalidInput("Validation failed", errors=wrong)
    return [_document(DocumentName(name), content) for name, content in files.items()]


def _document(name: DocumentName, content: bytes) -> DocumentFile:
    content_type = content_type_of(content)
    if content_type is None:
        raise errors.unsupported_document(name.value)
    return DocumentFile(name, content, content_type)
