"""Forms with files in them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

_PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


@dataclass(frozen=True, slots=True)
class Form:
    """A body that is not JSON."""

    content: bytes
    content_type: str


def identity_form() -> Form:
    """What raises a Mexican to LEVEL_1."""
    fields = {
        "level": "LEVEL_1",
        "country": "MX",
        "documentType": "INE",
        "documentNumber": "".join(secrets.choice("0123456789") for _ in range(13)),
    }
    return multipart(fields, {"front": _PNG, "back": _PNG})


def multipart(fields: Mapping[str, str], files: Mapping[str, bytes]) -> Form:
    boundary = secrets.token_hex(16)
    parts = [(f'name="{name}"', value.encode()) for name, value in fields.items()]
    parts += [(f'name="{name}"; filename="{name}.png"', content) for name, content in files.items()]
    lines = [
        f"--{boundary}\r\nContent-Disposition: form-data; {named}\r\n\r\n".encode() + content + b"\r\n"
        for named, content in parts
    ]
    return Form(b"".join((*lines, f"--{boundary}--\r\n".encode())), f"multipart/form-data; boundary={boundary}")
