"""Reading a multipart form into memory: never onto the disk, and never more than is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from kernel import InvalidInput
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from auth.kyc import errors
from auth.kyc.documents import MAX_DOCUMENT

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MAX_BODY: Final = 3 * MAX_DOCUMENT + (64 << 10)
_MAX_PARTS: Final = 16
_MAX_TEXT: Final = 1000


@dataclass(frozen=True, slots=True)
class Form:
    """Text fields and files by their names. A file without bytes is one that was not chosen, and is left out."""

    fields: Mapping[str, str]
    files: Mapping[str, bytes]


@dataclass(slots=True)
class _Part:
    name: str = ""
    is_file: bool = False
    content: bytearray = field(default_factory=bytearray)


async def read_form(request: Request) -> Form:
    """Raises UnsupportedMedia, InvalidInput, TooLarge."""
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise errors.not_a_form()
    reader = _Reader()
    try:
        parser = MultipartParser(boundary, reader.callbacks())
        async for chunk in request.stream():
            parser.write(chunk)
    except (FormParserError, ClientDisconnect):
        raise errors.broken_form("is not a well-formed multipart body") from None
    if not reader.ended:
        raise errors.broken_form("ends before its last boundary")
    return reader.form()


class _Reader:
    """What the parser calls. Its errors end the parsing."""

    def __init__(self) -> None:
        self.ended = False
        self._parts: dict[str, _Part] = {}
        self._part = _Part()
        self._name = b""
        self._value = b""
        self._disposition = b""

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin_part,
            "on_header_field": self._on_name,
            "on_header_value": self._on_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._on_data,
            "on_end": self._end,
        }

    def form(self) -> Form:
        files = {name: bytes(part.content) for name, part in self._parts.items() if part.is_file and part.content}
        fields = {name: _decoded(name, part.content) for name, part in self._parts.items() if not part.is_file}
        return Form(fields, files)

    def _begin_part(self) -> None:
        self._disposition = b""

    def _on_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        self._name = self._value = b""

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if not name.isidentifier() or not name.isascii():
            raise errors.broken_form("has a part without a proper name")
        if name in self._parts:
            raise errors.broken_form("names a part twice")
        if len(self._parts) == _MAX_PARTS:
            raise errors.broken_form("has too many parts")
        self._part = self._parts[name] = _Part(name, is_file=b"filename" in options)

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        size = len(self._part.content) + end - start
        if self._part.is_file and size > MAX_DOCUMENT:
            raise errors.document_too_large(self._part.name, MAX_DOCUMENT)
        if not self._part.is_file and size > _MAX_TEXT:
            raise InvalidInput.field(self._part.name, "is too long")
        self._part.content += data[start:end]

    def _end(self) -> None:
        self.ended = True


def _decoded(name: str, content: bytearray) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInput.field(name, "is not UTF-8") from None
