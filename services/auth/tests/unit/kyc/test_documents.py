from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from auth.kyc.documents import IDENTITY_DOCUMENTS, content_type_of, normalize_number, required_documents
from auth.kyc.status import TRANSITIONS, DocumentName, DocumentType, SubmissionStatus
from auth.kyc.uploads import UploadSlots
from hypothesis import given
from hypothesis import strategies as st
from kernel import CobroError, Country, new_id


@pytest.mark.parametrize(
    ("value", "kind", "normal"),
    [
        ("GMVLMR80070501M100", DocumentType.INE, "GMVLMR80070501M100"),
        ("gmvlmr 800705 01m100", DocumentType.INE, "GMVLMR80070501M100"),
        ("123456789", DocumentType.INE, "123456789"),
        ("52.123.456", DocumentType.CC, "52123456"),
        ("1.023.456.789", DocumentType.CC, "1023456789"),
        ("345678", DocumentType.CE, "345678"),
        ("26.756.539", DocumentType.DNI, "26756539"),
        ("12.345.678-5", DocumentType.RUT, "123456785"),
        ("aac-123456", DocumentType.PASSPORT, "AAC123456"),
        ("0000012345678", DocumentType.RESIDENCE_PERMIT, "0000012345678"),
    ],
)
def test_numbers_have_one_form(value: str, kind: DocumentType, normal: str) -> None:
    assert normalize_number(value, kind) == normal
    assert normalize_number(normal, kind) == normal


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("GMVLMR80070501X100", DocumentType.INE),
        ("12345678", DocumentType.INE),
        ("12", DocumentType.CC),
        ("12345678901", DocumentType.CC),
        ("123456", DocumentType.DNI),
        ("12345678A", DocumentType.DNI),
        ("12345678-9", DocumentType.RUT),
        ("ABC", DocumentType.PASSPORT),
        ("ÁÉÍ123456", DocumentType.PASSPORT),
        ("١٢٣٤٥٦٧", DocumentType.DNI),
        ("", DocumentType.DNI),
    ],
)
def test_what_is_no_number_is_refused(value: str, kind: DocumentType) -> None:
    with pytest.raises(ValueError, match="is not"):
        normalize_number(value, kind)


@given(st.text(max_size=40), st.sampled_from(DocumentType))
def test_any_text_is_normalised_or_refused(value: str, kind: DocumentType) -> None:
    try:
        normal = normalize_number(value, kind)
    except ValueError:
        return
    assert normal.isascii()
    assert normal.isalnum()


def test_every_country_has_documents_and_every_document_a_country() -> None:
    assert set(IDENTITY_DOCUMENTS) == set(Country)
    assert frozenset().union(*IDENTITY_DOCUMENTS.values()) == set(DocumentType)


def test_a_type_is_what_the_first_bytes_say() -> None:
    assert content_type_of(b"\xff\xd8\xff\xe1 Exif") == "image/jpeg"
    assert content_type_of(b"\x89PNG\r\n\x1a\n") == "image/png"
    assert content_type_of(b"%PDF-1.7") == "application/pdf"
    for other in (b"", b"\xff\xd8", b" %PDF-1.7", b"<html>", b"PK\x03\x04", b"GIF89a"):
        assert content_type_of(other) is None


def test_what_a_submission_needs() -> None:
    assert required_documents(1, DocumentType.DNI) == {DocumentName.FRONT, DocumentName.BACK}
    assert required_documents(1, DocumentType.PASSPORT) == {DocumentName.FRONT}
    assert required_documents(2, None) == {DocumentName.TAX}


def test_a_closed_submission_stays_closed() -> None:
    assert set(TRANSITIONS) == set(SubmissionStatus)
    assert [status for status, after in TRANSITIONS.items() if after] == [SubmissionStatus.PENDING]


async def _refusal(slots: UploadSlots, user_id: UUID) -> str | None:
    try:
        async with slots.taken(user_id):
            return None
    except CobroError as error:
        return error.code


async def test_slots_are_one_per_user_and_few_for_all() -> None:
    slots, ana, beto = UploadSlots(count=1, seconds=5), new_id(), new_id()
    async with slots.taken(ana):
        assert await _refusal(slots, ana) == "kyc_upload_in_progress"
        assert await _refusal(slots, beto) == "kyc_uploads_busy"
    assert await _refusal(slots, ana) is None


async def test_who_dawdles_loses_the_slot() -> None:
    slots, ana = UploadSlots(count=1, seconds=0.01), new_id()
    with pytest.raises(CobroError) as raised:
        async with slots.taken(ana):
            await asyncio.sleep(5)
    assert raised.value.code == "kyc_upload_too_slow"
    assert await _refusal(slots, ana) is None
