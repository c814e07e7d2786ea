"""The life of a submission, and what documents belong to it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class SubmissionStatus(StrEnum):
    """PENDING waits for an administrator; the others are final."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"


TRANSITIONS: Final[Mapping[SubmissionStatus, frozenset[SubmissionStatus]]] = {
    SubmissionStatus.PENDING: frozenset(
        {SubmissionStatus.APPROVED, SubmissionStatus.REJECTED, SubmissionStatus.WITHDRAWN}
    ),
    SubmissionStatus.APPROVED: frozenset(),
    SubmissionStatus.REJECTED: frozenset(),
    SubmissionStatus.WITHDRAWN: frozenset(),
}


class DocumentName(StrEnum):
    """The sides of an identity document, and the paper of a tax authority."""

    FRONT = "front"
    BACK = "back"
    TAX = "tax"


class DocumentType(StrEnum):
    """Identity documents: INE (MX), CC and CE (CO), DNI (AR), RUT (CL), a residence permit, any country's passport."""

    INE = "INE"
    CC = "CC"
    CE = "CE"
    DNI = "DNI"
    RUT = "RUT"
    RESIDENCE_PERMIT = "RESIDENCE_PERMIT"
    PASSPORT = "PASSPORT"
