"""An entry of the audit log as clients see one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from chassis.crypto import FieldCipher
from pydantic.alias_generators import to_camel

from auth.audit.models import AuditEntry
from auth.audit.schemas import AuditEntryResponse

_PLAIN = AuditEntryResponse.model_fields.keys() - {"before", "after", "address", "device"}


def present(cipher: FieldCipher, entry: AuditEntry) -> AuditEntryResponse:
    details = orjson.loads(cipher.decrypt_bytes(entry.details, context=entry.details_place))
    fields = {name: getattr(entry, name) for name in _PLAIN}
    return AuditEntryResponse.model_validate(
        {
            **fields,
            "before": _camel(details["before"]),
            "after": _camel(details["after"]),
            "address": details["address"] or None,
            "device": details["device"] or None,
        }
    )


def _camel(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if values is None else {to_camel(name): value for name, value in values.items()}
