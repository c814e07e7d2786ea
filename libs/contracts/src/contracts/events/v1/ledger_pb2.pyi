from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class FindMissingRequest(_message.Message):
    __slots__ = ("queue", "event_ids")
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    EVENT_IDS_FIELD_NUMBER: _ClassVar[int]
    queue: str
    event_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, queue: _Optional[str] = ..., event_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class FindMissingResponse(_message.Message):
    __slots__ = ("missing_event_ids",)
    MISSING_EVENT_IDS_FIELD_NUMBER: _ClassVar[int]
    missing_event_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, missing_event_ids: _Optional[_Iterable[str]] = ...) -> None: ...
