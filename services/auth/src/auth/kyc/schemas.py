"""Requests and responses about KYC."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from chassis.http.schemas import RequestModel, ResponseModel, Text, UtcDatetime
from kernel import Country
from pydantic import Field, StringConstraints

from auth.kyc.documents import EXTENSIONS
from auth.kyc.status import DocumentName, DocumentType, SubmissionStatus
from auth.users.schemas import KycLevel

OptionalNumber = Annotated[Annotated[str, StringConstraints(min_length=1, max_length=40)] | None, Field(repr=False)]


class SubmissionForm(RequestModel):
    """The text fields of the form; its files are beside them."""

    level: Literal[KycLevel.LEVEL_1, KycLevel.LEVEL_2]
    country: Country
    document_type: DocumentType | None = None
    document_number: OptionalNumber = None
    tax_id: OptionalNumber = None


class Rejection(RequestModel):
    """The reason is shown to the user."""

    reason: Annotated[Text, StringConstraints(max_length=500)]


class KycDocumentResponse(ResponseModel):
    name: DocumentName
    content_type: str
    size: int


class SubmissionSummary(ResponseModel):
    id: UUID
    user_id: UUID
    level: KycLevel
    status: SubmissionStatus
    country: Country
    document_type: DocumentType | None
    rejection_reason: str | None
    created_at: UtcDatetime
    closed_at: UtcDatetime | None


class SubmissionResponse(SubmissionSummary):
    """other_accounts: for an administrator, how many other users have submitted the same document or tax id."""

    document_number: str | None
    tax_id: str | None
    documents: list[KycDocumentResponse]
    other_accounts: int | None = None


def _text(description: str, **schema: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **schema}


def _choice(values: list[str], description: str) -> dict[str, Any]:
    return _text(description, enum=values)


def _file(description: str) -> dict[str, Any]:
    return _text(f"{description}; JPEG, PNG or PDF, at most 5 MiB", format="binary")


# By hand, since the form is read by hand: by FastAPI it would be read before the caller is known, and onto the disk.
FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["level", "country"],
                    "additionalProperties": False,
                    "properties": {
                        "level": _choice(["LEVEL_1", "LEVEL_2"], "The level applied for, one above the present one"),
                        "country": _choice([country.value for country in Country], "Who issued the document"),
                        "documentType": _choice([kind.value for kind in DocumentType], "LEVEL_1"),
                        "documentNumber": _text("LEVEL_1: the number of the document", maxLength=40),
                        "taxId": _text("LEVEL_2: RFC, NIT, CUIT or RUT", maxLength=40),
                        "front": _file("LEVEL_1: the front of the document"),
                        "back": _file("LEVEL_1: its back, for all but a passport"),
                        "tax": _file("LEVEL_2: the certificate of the tax authority"),
                    },
                },
                "encoding": {name.value: {"contentType": ", ".join(EXTENSIONS)} for name in DocumentName},
            }
        },
    }
}
